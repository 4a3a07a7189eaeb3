//! The backing indices as Elasticsearch has them: read, kept and asked for each record.
//!
//! [`BackingIndexCache`] keeps the table of one alias, `list` reads one and [`Lists`] those of all topics in one
//! question, behind the `barrier` after which it knows all that is there. [`Placer`] is what the decoder asks for each
//! record. The rule itself is in [`placement`](crate::placement).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::placement::time::millis;

pub use index_cache::BackingIndexCache;
pub use list::ReadError;
pub use lists::Lists;
pub use placer::Placer;

mod barrier;
pub mod index_cache;
mod list;
mod lists;
mod placer;

/// Now, in milliseconds since the Unix epoch, by this machine's clock.
pub fn now_millis() -> i64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}
