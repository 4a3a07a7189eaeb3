//! Where in an answer the schema is.

use serde_json::Value;

/// Returns the text of the schema in `body`: at `pointer` (RFC 6901) where there is one; else in the field `schema`;
/// else the whole. As JSON or as text that holds JSON.
///
/// # Errors
/// In words that follow "answered with": what is wrong with it.
pub(super) fn schema(body: &[u8], pointer: Option<&str>) -> Result<String, String> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "what is no JSON, instead of a schema".to_owned())?;
    let found = match pointer {
        Some(pointer) => value
            .pointer(pointer)
            .ok_or_else(|| format!("JSON that has nothing at {pointer} (cxone.schema_pointer)"))?,
        // An Avro schema has no field of this name that would mean something.
        None => value.get("schema").unwrap_or(&value),
    };
    match found {
        // A type's name is a schema too, but none that an event could have.
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
