//! Asks the registry for a source's schemas before their time: when an event fits none that is known, its sender may
//! have a newer one.
//!
//! So an event is refused only by schemas that were looked for after it came, unless more events are refused than a
//! second has looks ([`LOOKS`]), from any sender; then by schemas that are a second old.

use std::time::Duration;

use registry::SchemaRegistry;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::{Source, schema};

/// How many looks there may be at once; each second brings one more.
const LOOKS: u32 = 10;
/// How long one look is waited for. A registry that takes longer is asked in the background alone.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a registry that took longer is not asked again.
const PAUSE: Duration = Duration::from_secs(5);
/// How many requests may wait for a look at a time.
const WAITING: usize = 1_024;

/// When the registry was asked before its time, for one source.
#[derive(Debug)]
pub(crate) struct Early {
    waiting: Semaphore,
    looks: Mutex<Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    /// When the last one began.
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
    /// Returns whether there may be one at `now`.
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

impl Source {
    /// Looks for schemas that are newer than those known, for a request that came at `arrived` and has until
    /// `deadline`. Requests that come together share one look. [`Source::generation`] says whether something came of
    /// it.
    pub(crate) async fn look_early(&self, registry: &SchemaRegistry, arrived: Instant, deadline: Instant) {
        let Ok(_waiting) = self.early.waiting.try_acquire() else { return };
        let until = deadline.min(Instant::now() + PATIENCE);
        let Ok(mut looks) = timeout_at(until, self.early.looks.lock()).await else { return };
        if looks.began.is_some_and(|began| began >= arrived) || !looks.take(Instant::now()) {
            return;
        }
        let look = async {
            // What fails is said by the task that keeps the schemas.
            let _latest = registry.latest_now(&self.subject).await;
            schema::update(self, registry).await
        };
        let looked = timeout_at(until, look).await.is_ok_and(|updated| updated.is_ok());
        if !looked {
            looks.not_before = Some(Instant::now() + PAUSE);
        }
    }
}

#[cfg(test)]
mod tests;
