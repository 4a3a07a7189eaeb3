//! Compares this host's clock with the search server's before a record counts as dated too far ahead. After a
//! suspension or without NTP, this host's clock may be wrong. Then all fresh records seem to be from the future, and
//! none of them is at fault.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use service::admin::Condition;
use tokio::time::Instant;

use super::now_millis;
use crate::config::Config;
use crate::elasticsearch::errors::is_own_error;
use crate::elasticsearch::{Client, Method, Request, SettingsError};
use crate::placement::time::millis;

/// How long a comparison counts.
const FRESH: Duration = Duration::from_secs(60);
/// The wait between comparisons, and between requests to a server that does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Compares this host's clock with the search server's.
#[derive(Debug)]
pub struct ServerClock {
    client: Client,
    max_ahead: i64,
    compared: Mutex<Option<Compared>>,
    /// Unmet while this host's clock is behind, so that records wait.
    condition: Condition,
}

/// The last comparison.
#[derive(Clone, Copy, Debug)]
struct Compared {
    at: Instant,
    /// By how many milliseconds this host's clock is behind the server's; 0 if it is not, or if the server does not
    /// say.
    behind: i64,
}

impl ServerClock {
    /// Creates the comparison for the topic of `config`. `condition` is unmet while records wait for this host's clock.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(config: &Config, condition: Condition) -> Result<Self, SettingsError> {
        condition.met();
        let client = Client::new(&config.elasticsearch)?;
        let max_ahead = millis(config.elasticsearch.placement.max_ahead);
        Ok(Self { client, max_ahead, compared: Mutex::default(), condition })
    }

    /// Returns whether a record of placement time `time` is too far ahead of the server's clock too; `false` if the
    /// clocks were not compared lately.
    pub(super) fn confirms(&self, time: i64) -> bool {
        let fresh = self.lock().filter(|compared| compared.at.elapsed() < FRESH);
        fresh.is_some_and(|compared| self.is_too_far(time, compared.behind))
    }

    /// Waits until a record of placement time `time` is no longer too far ahead of this host's clock, or is found to be
    /// too far ahead of the server's clock too.
    pub async fn settle(&self, time: i64) {
        while self.is_too_far(time, 0) {
            if let Some(behind) = self.behind().await {
                *self.lock() = Some(Compared { at: Instant::now(), behind });
                if self.is_too_far(time, behind) {
                    break;
                }
                self.report(behind);
            }
            tokio::time::sleep(PAUSE).await;
        }
        let is_behind = self.lock().is_some_and(|compared| compared.behind >= self.max_ahead);
        if !is_behind || !self.is_too_far(time, 0) {
            self.condition.met();
        }
    }

    /// Returns whether `time` is too far ahead of the server's clock, if this host's is `behind` milliseconds behind
    /// it.
    fn is_too_far(&self, time: i64, behind: i64) -> bool {
        time > now_millis().saturating_add(behind).saturating_add(self.max_ahead)
    }

    /// Returns by how many milliseconds this host's clock is behind the server's, or `None` without an
    /// answer. A server that may not be asked counts as one with the same time.
    async fn behind(&self) -> Option<i64> {
        let request = Request {
            method: Method::Get,
            path: "/_nodes/_local/stats/os",
            query: &[("filter_path", "nodes.*.timestamp")],
            content_type: "application/json",
            body: Bytes::new(),
        };
        let answer = self.client.send(&request).await.ok()?;
        match answer.status {
            200 => {
                let nodes: Value = serde_json::from_slice(&answer.body).ok()?;
                let nodes = nodes["nodes"].as_object()?;
                let time = nodes.values().find_map(|node| node["timestamp"].as_i64())?;
                Some(time.saturating_sub(now_millis()).max(0))
            }
            400 | 403 | 404 | 405 | 410 if is_own_error(&answer.body) => Some(0),
            _ => None,
        }
    }

    fn report(&self, behind: i64) {
        self.condition.unmet(format!(
            "this host's clock is {} s behind that of Elasticsearch, so that fresh records seem to be from the future; \
             they wait: synchronise the clocks with NTP",
            behind / 1_000
        ));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Compared>> {
        self.compared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
