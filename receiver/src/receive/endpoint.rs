//! A source as requests see it, with what it shares with the others.

use std::sync::Arc;
use std::time::Duration;

use registry::SchemaRegistry;
use service::budget::LogBudget;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use traces::Traces;

use super::Anteroom;
use crate::body_budget::MemoryBudget;
use crate::config::Network;
use crate::metrics::Metrics;
use crate::source::Source;
use crate::stages::authenticate::Forwarded;
use crate::stages::produce::Producer;
use crate::workers::Workers;

/// What all sources share.
pub(crate) struct Common {
    /// Where schemas come from.
    pub(crate) registry: SchemaRegistry,
    /// Where events go.
    pub(crate) producer: Arc<Producer>,
    /// `receiver.request_timeout`.
    pub(crate) request_timeout: Duration,
    /// A permit for each request of an authenticated sender that may be in flight.
    pub(crate) request_permits: Semaphore,
    /// Where requests wait whose sender is not known before the body is there.
    pub(crate) anteroom: Anteroom,
    /// `receiver.unauthenticated_timeout`.
    pub(crate) unauthenticated_timeout: Duration,
    /// A permit for each body that nobody wants and is let arrive.
    pub(crate) discards: Semaphore,
    /// `receiver.trusted_proxies`.
    pub(crate) trusted_proxies: Vec<Network>,
    /// `receiver.forwarded_certificate`.
    pub(crate) forwarded_certificate: Option<Forwarded>,
    /// The bytes that requests may hold in memory.
    pub(crate) memory_budget: MemoryBudget,
    /// Cancelled once the receiver is to stop.
    pub(crate) stopping: CancellationToken,
    /// The metrics that are not of one source.
    pub(crate) metrics: Metrics,
    /// Threads for work that takes long.
    pub(crate) workers: Workers,
    /// What traces requests; none where traces are off.
    pub(crate) traces: Option<Arc<Traces>>,
    /// How much may be logged about rejections.
    pub(crate) log_budget: LogBudget,
}

/// One source and what it needs to serve requests.
pub(crate) struct Endpoint {
    /// The source.
    pub(crate) source: Arc<Source>,
    /// What it shares with the others.
    pub(crate) common: Arc<Common>,
}
