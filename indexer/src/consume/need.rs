//! What a record waits for.

use registry::wire::SchemaId;

use crate::message::target::Route;

/// What a record waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// The schema of this id.
    Schema(SchemaId),
    /// A table of the backing indices of this index set that can place this placement time, in milliseconds since the
    /// Unix epoch.
    Table(Route, i64),
}

impl Need {
    /// Returns a short fixed word for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema(_) => "schema",
            Self::Table(..) => "table",
        }
    }
}
