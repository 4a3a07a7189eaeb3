//! What is to be said of a mapping: fields that are not what one might expect.

use std::fmt;

use super::limits::{MAX_DEPTH, MAX_FIELDS, MAX_PATH};

/// A field that is not what one might expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its path, dots between names.
    pub path: String,
    /// What about it.
    pub kind: NoteKind,
}

/// What about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A record that holds itself, which is followed no further.
    Recursive,
    /// Nested deeper than Elasticsearch allows.
    TooDeep,
    /// A map whose path is longer than `OpenSearch` allows.
    TooLong,
    /// One of more fields than a mapping may have.
    TooMany,
    /// A union of types that no field can take together.
    Ambiguous(Vec<String>),
    /// An override of the config that matches no field of the schema.
    Unused,
    /// Not a field, but the schema: the rules for its fields cannot be carried out, as it says.
    Unruly(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsearchable = "it is in the document, but cannot be searched for";
        if let NoteKind::Unruly(why) = &self.kind {
            return write!(f, "elasticsearch.documents.fields does not go with the schema: {why}");
        }
        write!(f, "field {}: ", self.path)?;
        match &self.kind {
            NoteKind::Recursive => {
                write!(f, "holds itself; from here on {unsearchable} (elasticsearch.mapping.recursion)")
            }
            NoteKind::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels; {unsearchable}"),
            NoteKind::TooLong => write!(f, "its path has more than {MAX_PATH} bytes; {unsearchable}"),
            NoteKind::TooMany => write!(f, "the schema has more than {MAX_FIELDS} fields; from here on {unsearchable}"),
            NoteKind::Ambiguous(types) => write!(
                f,
                "is a union of {}, which no field can take together; {unsearchable}. Choose a type by elasticsearch.mapping.fields.{}",
                types.join(" and "),
                self.path
            ),
            NoteKind::Unused => f.write_str("elasticsearch.mapping.fields names it, and the schema has no such field"),
            NoteKind::Unruly(why) => f.write_str(why),
        }
    }
}
