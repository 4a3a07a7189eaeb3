//! Asks the registry for a source's schemas before the next refresh. When an event fits no known schema, its sender may
//! have a newer one.
//!
//! So an event is refused only by schemas that were looked up after it arrived. If senders cause more refusals than the
//! [`LOOKS`] allow, an event is refused by schemas that may be a second old.

use std::time::Duration;

use registry::SchemaRegistry;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::{Source, schema};

/// The burst of lookups. Each second allows one more.
const LOOKS: u32 = 10;
/// How long to wait for one lookup. A slower registry is asked only in the background.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause after a lookup that took longer.
const PAUSE: Duration = Duration::from_secs(5);
/// The most requests that wait for a lookup.
const WAITING: usize = 1_024;

/// The early lookups of one source.
#[derive(Debug)]
pub(crate) struct Early {
    waiting: Semaphore,
    looks: Mutex<Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    /// When the last lookup began.
    began: Option<Instant>,
    left: u32,
    not_before: Option<Instant>,
}

impl Default for Early {
    fn default() -> Self {
        let looks = Looks { left: LOOKS, ..Looks::default() };
        Self { waiting: Semaphore::new(WAITING), looks: Mutex::new(looks) }
    }
}

impl Looks {
    /// Returns whether a lookup is allowed at `now`, and counts it.
    fn take(&mut self, now: Instant) -> bool {
        let passed = self.began.map_or(0, |began| now.saturating_duration_since(began).as_secs());
        self.left = self.left.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX)).min(LOOKS);
        let may = self.left > 0 && self.not_before.is_none_or(|time| now >= time);
        if may {
            self.left -= 1;
            self.began = Some(now);
        }
        may
    }
}

/// Looks for newer schemas of `source`, for a request that arrived at `arrived` and has until `deadline`. Requests that
/// arrive together share one lookup. A new [`Source::generation`] tells that something has changed.
pub(crate) async fn look(source: &Source, registry: &SchemaRegistry, arrived: Instant, deadline: Instant) {
    let Ok(_waiting) = source.early.waiting.try_acquire() else { return };
    let until = deadline.min(Instant::now() + PATIENCE);
    let Ok(mut looks) = timeout_at(until, source.early.looks.lock()).await else { return };
    if looks.began.is_some_and(|began| began >= arrived) || !looks.take(Instant::now()) {
        return;
    }
    let look = async {
        // The task that keeps the schemas fresh reports failures.
        let _latest = registry.latest_now(&source.subject).await;
        schema::update(source, registry).await
    };
    let looked = timeout_at(until, look).await.is_ok_and(|updated| updated.is_ok());
    if !looked {
        looks.not_before = Some(Instant::now() + PAUSE);
    }
}

#[cfg(test)]
mod tests;
