//! A source as requests see it, and the parts that it shares with other sources.

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

/// The parts that all sources share.
pub(crate) struct Common {
    /// The registry that provides schemas.
    pub(crate) registry: SchemaRegistry,
    /// The producer that takes events.
    pub(crate) producer: Arc<Producer>,
    /// `receiver.request_timeout`.
    pub(crate) request_timeout: Duration,
    /// A permit for each request of an authenticated sender that may be in flight.
    pub(crate) request_permits: Semaphore,
    /// The requests whose sender is unknown until the body has arrived.
    pub(crate) anteroom: Anteroom,
    /// `receiver.unauthenticated_timeout`.
    pub(crate) unauthenticated_timeout: Duration,
    /// A permit for each unwanted body that is read to its end.
    pub(crate) discards: Semaphore,
    /// `receiver.trusted_proxies`.
    pub(crate) trusted_proxies: Vec<Network>,
    /// `receiver.forwarded_certificate`.
    pub(crate) forwarded_certificate: Option<Forwarded>,
    /// The bytes that requests may hold in memory.
    pub(crate) memory_budget: MemoryBudget,
    /// Cancelled when the receiver must stop.
    pub(crate) stopping: CancellationToken,
    /// The metrics that do not belong to one source.
    pub(crate) metrics: Metrics,
    /// Threads for long work.
    pub(crate) workers: Workers,
    /// The tracer of requests; `None` if traces are off.
    pub(crate) traces: Option<Arc<Traces>>,
    /// Limits the log lines about rejections.
    pub(crate) log_budget: LogBudget,
}

/// A source with all that it needs to serve requests.
pub(crate) struct Endpoint {
    /// The source.
    pub(crate) source: Arc<Source>,
    /// The parts that it shares with other sources.
    pub(crate) common: Arc<Common>,
}
