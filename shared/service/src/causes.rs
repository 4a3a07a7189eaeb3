//! The message of an error with its causes: many errors say only that something failed, and leave the reason to the
//! cause.

use std::error::Error;

/// Returns the message of `error` and those of its causes, separated by `: `. Leaves out a cause that its error already
/// quotes.
pub fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        source = cause.source();
    }
    message
}
