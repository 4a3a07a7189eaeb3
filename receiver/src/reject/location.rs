//! The location of an error in a body, for the members of the problem, the log line and the headers of the quarantine.

use avro::ContainerError;
use serde::Serialize;

use super::Rejection;
use crate::stages::validate::{BatchError, Invalid};

/// The location and the kind of an error.
#[derive(Serialize)]
pub(crate) struct ErrorLocation {
    /// A fixed word for the kind of error.
    pub(crate) reason: &'static str,
    /// The schema that the datum was read with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schema_id: Option<u32>,
    /// The number of the event in a file, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<usize>,
    /// The field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// The byte offset: in the datum if there is a field, else in the file.
    pub(crate) offset: usize,
}

impl ErrorLocation {
    /// Returns the location of the error, if it has one.
    pub(crate) fn of(rejection: &Rejection) -> Option<Self> {
        let index = match rejection {
            Rejection::Container(BatchError::Event { index, .. }) => Some(*index),
            Rejection::Container(BatchError::Container(ContainerError { kind, offset })) => {
                return Some(Self::in_file(kind.code(), *offset));
            }
            Rejection::Container(BatchError::Block(offset, _)) => return Some(Self::in_file("block_codec", *offset)),
            Rejection::Container(BatchError::BlockLength(offset)) => {
                return Some(Self::in_file("block_length", *offset));
            }
            _ => None,
        };
        let Invalid { schema, error, .. } = rejection.invalid()?;
        let field = Some(error.path.clone());
        Some(Self { reason: error.code(), schema_id: Some(schema.0), index, field, offset: error.offset })
    }

    fn in_file(reason: &'static str, offset: usize) -> Self {
        Self { reason, schema_id: None, index: None, field: None, offset }
    }
}

impl std::fmt::Display for ErrorLocation {
    /// Writes the location for logs. Leaves out a path with a map key, because the key is a part of the body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.offset)?;
        if let Some(index) = self.index {
            write!(f, " of event {index}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ", field {}", if field.contains('"') { "(in a map)" } else { field })?;
        }
        match self.schema_id {
            Some(id) => write!(f, ", schema id {id}"),
            None => Ok(()),
        }
    }
}
