//! Asks the registry whether a schema may become the next version of a subject. The registry decides, by the subject's
//! compatibility level. If it gives no reason, the two schemas are compared here, only to word the reason.

use apache_avro::Schema;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

use super::subjects::{Reference, Subjects, SubjectsError, Version};

/// The most bytes of a reason found here.
const MAX_REASON: usize = 500;

/// The most bytes of a text to compare, because the library takes more than linear time.
const MAX_TEXT: usize = 256 * 1024;

/// Returns why the schema `text` with its `references` cannot follow `latest` in `subject`, or `None` if it can.
///
/// # Errors
/// When a request to the registry fails.
pub(crate) async fn refusal(
    subjects: &Subjects,
    subject: &str,
    latest: &Version,
    text: &str,
    references: &[Reference],
) -> Result<Option<String>, SubjectsError> {
    let Some(messages) = subjects.incompatible(subject, text, references).await? else {
        return Ok(None);
    };
    if messages.is_empty() {
        return Ok(Some(compared(&latest.text, text)));
    }
    Ok(Some(messages.join("; ")))
}

fn compared(old: &str, new: &str) -> String {
    let parsed = |text: &str| if text.len() <= MAX_TEXT { Schema::parse_str(text).ok() } else { None };
    let (Some(old), Some(new)) = (parsed(old), parsed(new)) else {
        return "the registry does not say why".to_owned();
    };
    if let Some(gap) = gap(&old, &new) {
        return short(format!("events of the old schema cannot be read by the new one: {gap}"));
    }
    if let Some(gap) = gap(&new, &old) {
        return short(format!("events of the new schema cannot be read by the old one: {gap}"));
    }
    "the registry does not say why; compared with the latest version alone, there is nothing wrong with it".to_owned()
}

/// Returns which events of the schema `writer` cannot be read by the schema `reader`, or `None` if all can.
fn gap(writer: &Schema, reader: &Schema) -> Option<String> {
    match SchemaCompatibility::can_read(writer, reader) {
        Ok(Compatibility::Full) => None,
        Ok(Compatibility::Partial) => Some("those with a union branch or an enum symbol that it lacks".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

fn short(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(MAX_REASON));
    reason
}

#[cfg(test)]
mod tests;
