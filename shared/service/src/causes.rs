//! The words of an error: many say only that something has happened, and their causes what.

use std::error::Error;

/// Returns the message of `error` and those of its causes, with `: ` between them; a cause that its error already
/// quotes is left out.
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
