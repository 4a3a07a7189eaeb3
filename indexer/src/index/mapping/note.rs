//! Notes about a mapping: fields that are mapped otherwise than one might expect.

use std::fmt;

use super::limits::{MAX_DEPTH, MAX_FIELDS, MAX_PATH};

/// A field that is mapped otherwise than one might expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its path, with dots between names.
    pub path: String,
    /// The reason for the note.
    pub kind: NoteKind,
}

/// The reason for a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A record that contains itself and is followed no further.
    Recursive,
    /// Nested deeper than Elasticsearch allows.
    TooDeep,
    /// A map whose path is longer than `OpenSearch` allows.
    TooLong,
    /// More fields than a mapping may have.
    TooMany,
    /// A union of types without a common field type.
    Ambiguous(Vec<String>),
    /// An override of the config that matches no field of the schema.
    Unused,
    /// The schema as a whole: its field rules cannot be applied, for the given reason.
    Unruly(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsearchable = "it is in the document, but cannot be searched for";
        if let NoteKind::Unruly(why) = &self.kind {
            return write!(f, "elasticsearch.documents.fields does not fit the schema: {why}");
        }
        write!(f, "field {}: ", self.path)?;
        match &self.kind {
            NoteKind::Recursive => {
                write!(f, "contains itself; from here on {unsearchable} (elasticsearch.mapping.recursion)")
            }
            NoteKind::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels; {unsearchable}"),
            NoteKind::TooLong => write!(f, "its path has more than {MAX_PATH} bytes; {unsearchable}"),
            NoteKind::TooMany => write!(f, "the schema has more than {MAX_FIELDS} fields; from here on {unsearchable}"),
            NoteKind::Ambiguous(types) => write!(
                f,
                "is a union of {}, which have no common field type; {unsearchable}. Choose a type with elasticsearch.mapping.fields.{}",
                types.join(" and "),
                self.path
            ),
            NoteKind::Unused => f.write_str("elasticsearch.mapping.fields names it, and the schema has no such field"),
            NoteKind::Unruly(why) => f.write_str(why),
        }
    }
}
