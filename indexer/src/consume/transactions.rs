//! Notices transactions that stay open. A reader of committed records cannot pass the first record of one, so
//! everything behind it waits. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka::position::{NextOffset, Partition};

/// How long a transaction may be open before it is reported. By default, Kafka aborts one whose producer has crashed
/// after a minute.
const PATIENCE: Duration = Duration::from_secs(90);

/// Holds the open transactions of the assigned partitions.
#[derive(Debug, Default)]
pub(super) struct OpenTransactions {
    partitions: BTreeMap<Partition, Open>,
}

/// The first open transaction of one partition.
#[derive(Debug)]
struct Open {
    /// Its first record.
    first: NextOffset,
    since: Instant,
    is_reported: bool,
}

impl OpenTransactions {
    /// Notes that `partition` can be read up to `end` at `now`, and has records up to `high`. Returns how many records
    /// an open transaction holds back, if it has done so for long; once for each transaction.
    pub(super) fn note(
        &mut self,
        partition: Partition,
        end: NextOffset,
        high: NextOffset,
        now: Instant,
    ) -> Option<i64> {
        if high <= end {
            self.forget(partition);
            return None;
        }
        let begun = || Open { first: end, since: now, is_reported: false };
        let open = self.partitions.entry(partition).or_insert_with(begun);
        if open.first != end {
            *open = begun();
        }
        if open.is_reported || now.saturating_duration_since(open.since) < PATIENCE {
            return None;
        }
        open.is_reported = true;
        Some(high.0 - end.0)
    }

    /// Forgets `partition`, which is no longer assigned or has another log.
    pub(super) fn forget(&mut self, partition: Partition) {
        self.partitions.remove(&partition);
    }
}

#[cfg(test)]
mod tests;
