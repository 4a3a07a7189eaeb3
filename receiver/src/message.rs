//! The types that stages pass to each other. They know no stage.

mod buffer;
pub(crate) mod record;
mod writer;

pub(crate) use buffer::Buffer;
pub(crate) use record::RecordHead;
pub(crate) use writer::Writer;
