//! Handles partitions that wait for a schema or for a newer table of backing indices: requests and reports.

use kafka::position::Partition;
use service::admin::Condition;

use super::books::Waits;
use super::need::Need;
use super::park::Parked;
use super::topic::Topic;
use crate::backing::now_millis;
use crate::tasks::Tasks;

/// Requests what records wait for.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Unmet while records wait for a registry that is down.
    schemas: Condition,
    /// How many records were dated ahead of the clock.
    ahead: u64,
}

impl Waiting {
    /// Creates the state in which nothing waits: `schemas` is met.
    pub(super) fn new(schemas: Condition) -> Self {
        schemas.met();
        Self { schemas, ahead: 0 }
    }

    /// Pauses the partition in `waits`, and requests what its record needs from `tasks` unless it was requested
    /// before.
    pub(super) fn begin(&mut self, waits: &Waits, topic: &Topic, tasks: &Tasks) {
        let (name, partition) = (topic.name(), waits.partition.0);
        if let Err(error) = topic.subscription.pause(&[waits.partition]) {
            tracing::warn!(topic = name, %error, partition, "Cannot pause a partition that waits.");
        }
        topic.figures.began_to_wait(self.reason(waits, name));
        match waits.need {
            Need::Schema(schema) if waits.ask => {
                tracing::info!(
                    topic = name,
                    partition,
                    schema_id = schema.0,
                    "A record names a schema that is not in memory; its partition waits for the registry."
                );
                tasks.fetch_schema(schema, self.schemas.clone());
            }
            Need::Table(route, time) if waits.ask => tasks.renew_table(route, time),
            Need::Schema(_) | Need::Table(..) => {}
        }
    }

    /// Reports that schemas are available again, if no record of `parked` waits for one.
    pub(super) fn end(&self, parked: &Parked) {
        if !parked.awaits_schema() {
            self.schemas.met();
        }
    }

    /// Returns why the partition waits, as a short fixed word. Reports a record that is dated ahead of the clock.
    fn reason(&mut self, waits: &Waits, topic: &str) -> &'static str {
        match waits.need {
            Need::Table(_, time) if time > now_millis() => {
                self.note_ahead(topic, waits.partition, time);
                "ahead"
            }
            Need::Table(..) | Need::Schema(_) => waits.need.as_str(),
        }
    }

    /// Reports the first record dated ahead of the clock, and then each doubling of their number.
    fn note_ahead(&mut self, topic: &str, partition: Partition, time: i64) {
        self.ahead += 1;
        if self.ahead.is_power_of_two() {
            tracing::warn!(
                topic,
                partition = partition.0,
                millis_ahead = time.saturating_sub(now_millis()),
                seen = self.ahead,
                "A record is dated ahead of this indexer's clock; its partition waits until then. Synchronise the \
                 clocks with NTP."
            );
        }
    }
}

#[cfg(test)]
mod tests;
