//! The backing indices as Elasticsearch has them: read, cached and queried for each record.
//!
//! [`BackingIndexCache`] caches the table of one alias. `list` reads one list, and [`Lists`] reads those of all
//! topics in one request, behind the `barrier`, after which the list is complete. The decoder queries the [`Placer`]
//! for each record, and [`ServerClock`] checks the clock that this relies on. The rule itself is in [`placement`](crate::placement).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::placement::time::millis;

pub use index_cache::BackingIndexCache;
pub use list::ReadError;
pub use lists::Lists;
pub use placer::Placer;
pub use server_clock::ServerClock;

mod barrier;
pub mod index_cache;
mod list;
mod lists;
mod placer;
mod server_clock;

/// Returns the current time in milliseconds since the Unix epoch, by this machine's clock.
pub fn now_millis() -> i64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}
