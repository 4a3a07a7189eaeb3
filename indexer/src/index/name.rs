//! Checks the name of an index. Pure.

use crate::elasticsearch::SettingsError;

/// The longest name of an index, in bytes (Elasticsearch reference, "Create index API").
const MAX_NAME: usize = 255;

/// Returns `name` if it is a valid name of an index (Elasticsearch reference, "Create index API").
///
/// # Errors
/// [`SettingsError::IndexName`].
pub fn check_name(name: &str) -> Result<&str, SettingsError> {
    let wrong = |reason| Err(SettingsError::IndexName { name: name.to_owned(), reason });
    if name.is_empty() || name.len() > MAX_NAME {
        return wrong("it needs 1 to 255 bytes");
    }
    if name != name.to_lowercase() {
        return wrong("it has to be in lower case");
    }
    if name.starts_with(['-', '_', '+']) || name == "." || name == ".." {
        return wrong("it must not begin with '-', '_' or '+', nor be '.' or '..'");
    }
    if name.contains(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':', '%']) {
        return wrong("it must not contain \\ / * ? \" < > | , # : % or a space");
    }
    Ok(name)
}
