//! The parts that all sources share.

use std::sync::Arc;
use std::time::Duration;

use registry::SchemaRegistry;
use service::budget::LogBudget;
use tokio_util::sync::CancellationToken;
use traces::Traces;

use super::admission::Admission;
use super::discards::Discards;
use super::proxies::Proxies;
use crate::metrics::Metrics;
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
    /// The room for requests.
    pub(crate) admission: Admission,
    /// The trusted proxies, and what they forward.
    pub(crate) proxies: Proxies,
    /// Reads unwanted bodies to their end.
    pub(crate) discards: Discards,
    /// Cancelled when the receiver must stop.
    pub(crate) stopping: CancellationToken,
    /// The metrics that do not belong to one source.
    pub(crate) metrics: Metrics,
    /// Threads for long work.
    pub(crate) workers: Workers,
    /// The tracer of requests; `None` if traces are off.
    pub(crate) traces: Option<Arc<Traces>>,
    /// Limits the log lines about rejections.
    pub(crate) log_budget: Arc<LogBudget>,
}
