//! Finds the field that makes a schema unusable, because the parser does not name it. Each field in turn gets a valid
//! type. The offending field is the one whose replacement makes the schema usable.

use avro::Schema;
use serde_json::{Value, json};

/// The most fields to try: each costs a parse.
const MAX_TRIES: usize = 2_000;

/// Returns the path of the innermost field, with dots between names, whose type alone makes the schema `text` unusable.
/// Returns `None` if there is no such field, because the text is not JSON, not a record, or wrong in several places.
pub(super) fn find(text: &str) -> Option<String> {
    let mut root: Value = serde_json::from_str(text).ok()?;
    let (mut pointer, mut names, mut tries) = (String::new(), Vec::new(), 0);
    while let Some((inner, name)) = guilty_field(&mut root, &pointer, &mut tries) {
        names.push(name);
        pointer = inner;
    }
    (!names.is_empty()).then(|| names.join("."))
}

/// Finds the field of the record at `pointer` (a JSON pointer) whose type alone makes the schema unusable. Returns the
/// pointer to that type, and the field's name.
fn guilty_field(root: &mut Value, pointer: &str, tries: &mut usize) -> Option<(String, String)> {
    let record = records(pointer).into_iter().find(|pointer| root.pointer(&format!("{pointer}/fields")).is_some())?;
    let fields = root.pointer(&format!("{record}/fields"))?.as_array()?.len();
    for number in 0..fields {
        *tries += 1;
        if *tries > MAX_TRIES {
            return None;
        }
        let field = format!("{record}/fields/{number}");
        let name = root.pointer(&format!("{field}/name"))?.as_str()?.to_owned();
        let pointer = format!("{field}/type");
        let before = std::mem::replace(root.pointer_mut(&pointer)?, json!("null"));
        let default = root.pointer_mut(&field)?.as_object_mut()?.remove("default");
        let usable = Schema::parse(&root.to_string()).is_ok();
        *root.pointer_mut(&pointer)? = before;
        if let (Some(default), Some(field)) = (default, root.pointer_mut(&field)?.as_object_mut()) {
            field.insert("default".to_owned(), default);
        }
        if usable {
            return Some((pointer, name));
        }
    }
    None
}

/// Returns where a record may be in the type at `pointer`: the type itself, the items of an array, the values of a map,
/// a branch of a union.
fn records(pointer: &str) -> Vec<String> {
    let below = ["", "/items", "/values", "/0", "/1", "/type"];
    below.iter().map(|step| format!("{pointer}{step}")).collect()
}

#[cfg(test)]
mod tests;
