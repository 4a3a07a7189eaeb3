//! Finds the schema in an answer.

use serde_json::Value;

/// Returns the text of the schema in `body`: at `pointer` (RFC 6901) if there is one, else in the field `schema`, else
/// the whole body. The schema may be JSON, or text that holds JSON.
///
/// # Errors
/// What is wrong with the answer, in words that follow "answered with".
pub(super) fn schema(body: &[u8], pointer: Option<&str>) -> Result<String, String> {
    let value: Value =
        serde_json::from_slice(body).map_err(|_| "text that is not JSON, instead of a schema".to_owned())?;
    let found = match pointer {
        Some(pointer) => value
            .pointer(pointer)
            .ok_or_else(|| format!("JSON that has nothing at {pointer} (cxone.schema_pointer)"))?,
        // In an Avro schema, a field of this name has no meaning.
        None => value.get("schema").unwrap_or(&value),
    };
    match found {
        // The name of a type is a schema too, but never that of an event.
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => Ok(text.clone()),
        Value::Object(_) | Value::Array(_) => Ok(found.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            Err("JSON that holds no schema at the expected place; check cxone.schema_path and cxone.schema_pointer"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
