//! Pulls schemas in a running receiver: every `cxone.refresh`, and once when events no longer fit their schema. A
//! failed pull is logged and counted. It never stops the receiver, which uses the schemas of the registry.

use std::sync::Arc;
use std::time::Duration;

use futures::future::select_all;
use prometheus::IntCounterVec;
use registry::SchemaRegistry;
use service::metrics::begin_at_zero;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pull::{PullError, Pulled, Puller};
use crate::source::{self, Source};

/// The least time between two pulls for events that do not fit.
const DRIFT_PAUSE: Duration = Duration::from_secs(60);

/// The task that pulls schemas.
pub(crate) struct Refresh {
    /// The puller.
    pub(crate) puller: Puller,
    /// The subjects whose schemas come from CXone.
    pub(crate) subjects: Vec<String>,
    /// The interval of the pulls.
    pub(crate) every: Duration,
    /// The sources whose current schema a pull may change.
    pub(crate) sources: Vec<Arc<Source>>,
    /// The registry of these sources.
    pub(crate) registry: SchemaRegistry,
    /// Pulls by outcome: `registered`, `unchanged`, `incompatible`, `failed`.
    pub(crate) pulls: IntCounterVec,
}

/// The outcomes to count.
const OUTCOMES: [&str; 4] = ["registered", "unchanged", "incompatible", "failed"];

impl Refresh {
    /// Pulls now, and then regularly until `shutdown`.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        begin_at_zero(&self.pulls, &OUTCOMES);
        shutdown.run_until_cancelled(self.pull_on_and_on()).await;
    }

    async fn pull_on_and_on(&self) {
        let pulled = self.sources.iter().filter(|source| self.subjects.contains(&source.subject));
        let mut suspicions: Vec<_> = pulled.map(|source| source.drift.suspected()).collect();
        let mut drift_at: Option<Instant> = None;
        loop {
            for subject in &self.subjects {
                self.pull(subject).await;
            }
            let due = Instant::now() + self.every;
            tokio::select! {
                () = tokio::time::sleep_until(due) => continue,
                () = drifting(&mut suspicions) => {}
            }
            // A drift soon after the last one waits.
            let earliest = drift_at.map_or_else(Instant::now, |last| last + DRIFT_PAUSE);
            tokio::time::sleep_until(earliest.min(due)).await;
            drift_at = Some(Instant::now());
            suspicions.iter_mut().for_each(|suspicion| suspicion.mark_unchanged());
            tracing::info!("Events no longer fit their schema; asking CXone for the latest one.");
        }
    }

    async fn pull(&self, subject: &str) {
        let outcome = match self.puller.pull(subject, false).await {
            Ok(Pulled::Registered { version, id, before }) => {
                tracing::info!(subject, version, schema_id = id.0, before, "Registered a new schema from CXone.");
                self.take_up(subject).await;
                "registered"
            }
            Ok(Pulled::Unchanged { .. } | Pulled::New { .. }) => "unchanged",
            Ok(Pulled::Older { id, latest }) => {
                let message = "CXone's latest schema is an older version in the registry.";
                tracing::warn!(subject, schema_id = id.0, latest, "{message}");
                "unchanged"
            }
            Err(error @ PullError::Incompatible { .. }) => {
                tracing::warn!(subject, %error, "Did not register a new schema from CXone.");
                "incompatible"
            }
            Err(
                error @ (PullError::Cxone { .. }
                | PullError::Schema { .. }
                | PullError::TakenForAnother { .. }
                | PullError::Subjects(_)
                | PullError::Registry(_)),
            ) => {
                tracing::warn!(subject, %error, "Cannot pull the schema from CXone; trying again after cxone.refresh.");
                "failed"
            }
        };
        self.pulls.with_label_values(&[outcome]).inc();
    }

    /// Makes the schema that was just registered current, without waiting for `schema_registry.refresh`.
    async fn take_up(&self, subject: &str) {
        for source in self.sources.iter().filter(|source| source.subject == subject) {
            // A lookup that was already running may return the schema before it.
            let asked = self.registry.latest_now(subject).await;
            if let Err(error) = asked {
                tracing::warn!(subject, %error, "The new schema is registered, but the registry does not return it yet.");
            }
            if let Err(reason) = source::schema::update(source, &self.registry).await {
                tracing::warn!(%reason, "The new schema cannot be used.");
            }
        }
    }
}

/// Waits until the events of one of the sources no longer fit; without sources, forever.
async fn drifting(suspicions: &mut [Receiver<u64>]) {
    if suspicions.is_empty() {
        return std::future::pending().await;
    }
    let _the_first = select_all(suspicions.iter_mut().map(|suspicion| Box::pin(suspicion.changed()))).await;
}
