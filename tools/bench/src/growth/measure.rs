//! Measures single points.

use std::time::Duration;

use super::point::{Point, Service};
use crate::indexer::{INDEXED, all_counted, into_null, null};
use crate::load::Load;
use crate::null_elasticsearch::Backing;
use crate::receiver;
use crate::setup::{PARTITIONS, Setup};
use harness::config::Config;
use harness::eventually::eventually;
use harness::pipeline::{assigned_partitions, metric};

/// How long a receiver is under load.
const LIMIT: Duration = Duration::from_secs(4);
/// The most bytes of the events of one point: topics of large events would fill the disk.
const MOST_BYTES: u64 = 512 << 20;
/// The number of events per second while their age is measured.
const RATE: u32 = 10_000;
/// The seconds for which events arrive before their age is measured.
const WARM_UP: u64 = 2;
/// The seconds for which the age is measured.
const SECONDS: u64 = 4;
/// The metric with the sum of the events' ages, in seconds.
const AGES: &str = "penstock_indexer_event_age_seconds_sum";
/// The metric with their number.
const AGED: &str = "penstock_indexer_event_age_seconds_count";

/// Measures points with the services of one setup.
pub(super) struct Measure<'a> {
    /// Kafka, the registry and the config.
    pub(super) setup: &'a Setup,
    /// The number of events that an indexer reads.
    pub(super) events: u64,
    /// The most requests to a receiver.
    pub(super) requests: u64,
    /// The number of connections to a receiver.
    pub(super) connections: u16,
}

impl Measure<'_> {
    /// Returns how many events of `bytes` bytes an indexer reads, or a receiver takes at most.
    pub(super) fn events_of(&self, bytes: u64) -> u64 {
        self.events.min(MOST_BYTES / bytes.max(1)).max(self.connections.into())
    }

    /// Returns the usual load on a receiver.
    ///
    /// # Errors
    /// As for [`Load::new`].
    pub(super) fn load(&self) -> anyhow::Result<Load> {
        Load::new(&self.setup.token, self.connections, self.requests)
    }

    /// Measures an indexer with `config` until it has indexed `events` events into an Elasticsearch that does nothing
    /// and lists the `backing` indices.
    ///
    /// # Errors
    /// If the indexer does not finish.
    pub(super) async fn indexer(
        &self,
        value: u64,
        config: Config,
        events: u64,
        backing: Backing,
    ) -> anyhow::Result<Point> {
        let (sample, _) = into_null(self.setup, config, events, backing).await?;
        Ok(Point::of(value, Service::Indexer, &sample))
    }

    /// Measures a receiver with `config` for a few seconds.
    ///
    /// # Errors
    /// If it does not answer 200 to each request.
    pub(super) async fn receiver(&self, value: u64, config: Config, load: &Load) -> anyhow::Result<Point> {
        let sample = receiver::under_load(self.setup, config, &load.within(LIMIT)).await?;
        Ok(Point::of(value, Service::Receiver, &sample))
    }

    /// Returns the mean age of events when an Elasticsearch that does nothing has acknowledged them, in milliseconds,
    /// while 10,000 arrive each second. The indexer has at most `documents` documents in a batch.
    ///
    /// # Errors
    /// If the indexer does not keep up.
    pub(super) async fn mean_age_ms(&self, documents: usize) -> anyhow::Result<f64> {
        let topic = self.setup.topic(PARTITIONS).await?;
        let mut config = self.setup.config_through(&topic);
        config.indexer.batch.max_documents = documents;
        let (_null, elasticsearch) = null(Backing::ONE).await?;
        let (mut indexer, admin) = self.setup.indexer(config, elasticsearch)?;
        eventually("the indexer has all partitions", || async {
            let assigned = assigned_partitions(&admin, &topic).await?;
            anyhow::ensure!(assigned == f64::from(PARTITIONS), "it has {assigned}; {}", indexer.last_lines());
            Ok(())
        })
        .await?;
        let mut feed = self.setup.feed(&topic);
        feed.per_second = Some(RATE);
        let first = u64::from(RATE) * WARM_UP;
        let last = first + u64::from(RATE) * SECONDS;
        feed.write(0..first).await?;
        all_counted(&mut indexer, &admin, INDEXED, first).await?;
        let (ages, aged) = (metric(&admin, AGES).await?, metric(&admin, AGED).await?);
        feed.write(first..last).await?;
        all_counted(&mut indexer, &admin, INDEXED, last).await?;
        let (ages, aged) = (metric(&admin, AGES).await? - ages, metric(&admin, AGED).await? - aged);
        drop(indexer);
        self.setup.delete(&topic).await?;
        anyhow::ensure!(aged > 0.0, "the indexer has counted no ages");
        Ok(ages / aged * 1e3)
    }
}
