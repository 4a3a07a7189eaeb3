//! Traces: spans of requests and events, exported to a collector over OTLP.
//!
//! [`Traces`] creates spans. A finished span enters a bounded queue (`queue`), from which a thread of the SDK takes
//! batches for the exporter (`export`). No event ever waits for this: a span that finds no room is counted and dropped.
//! [`Traceparent`] is the content of a trace header.
//!
//! The names of attributes follow OpenTelemetry's semantic conventions. The service that begins a span chooses its
//! attributes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use config::{ConfigError, Tracing};
use opentelemetry::trace::{Link, SpanBuilder, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanExporter};
use prometheus::IntCounterVec;
use tokio::task::spawn_blocking;

pub use opentelemetry::KeyValue;
pub use opentelemetry::trace::SpanKind;

pub use context::Traceparent;
pub use queue::spans;
pub use span::Span;

mod context;
mod export;
mod queue;
mod span;

/// The most links of one span to others.
pub const MAX_LINKS: usize = 128;

/// The time limit for exporting the last spans when stopping.
const FLUSH: Duration = Duration::from_secs(3);

/// Decides whether a span without a parent is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// By `tracing.sample_ratio`, for traces that begin here.
    Ratio,
    /// By the traces that the span links to: see [`Traces::linked`].
    Links,
}

/// The sender of a trace context.
#[derive(Clone, Copy, Debug)]
pub enum Caller {
    /// A caller that has proved its identity. The span becomes part of its trace, and the trace decides about the
    /// export.
    Known(Option<Traceparent>),
    /// Any other caller. The span begins a new trace with a link to the caller's, so that strangers cannot force an
    /// export.
    Anyone(Option<Traceparent>),
}

/// Creates spans, and exports the sampled ones.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Starts the export to `tracing.otlp_endpoint`, on the caller's runtime. Returns `None` if the config has no
    /// endpoint. `service` is the default for `tracing.service_name`. `spans` counts the outcomes of spans, see
    /// [`spans()`].
    ///
    /// # Errors
    /// Names the key whose value cannot be used. The collector need not be running.
    pub fn start(
        config: &Tracing,
        service: &'static str,
        sampling: Sampling,
        spans: &IntCounterVec,
    ) -> Result<Option<Arc<Self>>, ConfigError> {
        let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
        let queue = Arc::new(queue::Queue::new(spans));
        let exporter = export::Exporter::new(config, endpoint, Arc::clone(&queue))?;
        Ok(Some(Arc::new(Self::over(exporter, queue, config, service, sampling))))
    }

    fn over(
        exporter: impl SpanExporter + 'static,
        queue: Arc<queue::Queue>,
        config: &Tracing,
        service: &'static str,
        sampling: Sampling,
    ) -> Self {
        let name = config.service_name.clone().unwrap_or_else(|| service.to_owned());
        let sampler = match sampling {
            Sampling::Ratio => Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio))),
            Sampling::Links => Sampler::AlwaysOn,
        };
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue::Bounded::new(exporter, queue))
            .with_max_links_per_span(u32::try_from(MAX_LINKS).unwrap_or(u32::MAX))
            .with_sampler(sampler)
            // The builder also adds the attributes of OTEL_RESOURCE_ATTRIBUTES.
            .with_resource(Resource::builder().with_service_name(name).build())
            .build();
        let scope = InstrumentationScope::builder(service).with_version(env!("CARGO_PKG_VERSION")).build();
        Self { tracer: provider.tracer_with_scope(scope), provider }
    }

    /// Begins the span of a request from `caller` that arrived at `at`.
    pub fn server(&self, name: String, caller: Caller, at: SystemTime, attributes: Vec<KeyValue>) -> Span {
        let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_start_time(at);
        let (builder, context) = match caller {
            Caller::Known(Some(parent)) => (builder, Context::new().with_remote_span_context(parent.remote())),
            Caller::Anyone(Some(other)) => {
                (builder.with_links(vec![Link::with_context(other.remote())]), Context::new())
            }
            Caller::Known(None) | Caller::Anyone(None) => (builder, Context::new()),
        };
        self.begin(builder.with_attributes(attributes), &context)
    }

    /// Begins a span of `kind` below `parent`.
    pub fn child(&self, parent: &Span, kind: SpanKind, name: String, attributes: Vec<KeyValue>) -> Span {
        let context = Context::new().with_remote_span_context(parent.context().clone());
        self.begin(SpanBuilder::from_name(name).with_kind(kind).with_attributes(attributes), &context)
    }

    /// Begins a span of `kind` that concerns several traces. It links to the sampled ones among `others`, up to
    /// [`MAX_LINKS`]. Returns `None` if no trace is sampled.
    pub fn linked(
        &self,
        kind: SpanKind,
        name: impl FnOnce() -> String,
        others: impl Iterator<Item = Traceparent>,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Option<Span> {
        let sampled = others.filter(Traceparent::is_sampled).take(MAX_LINKS);
        let links: Vec<Link> = sampled.map(|other| Link::with_context(other.remote())).collect();
        if links.is_empty() {
            return None;
        }
        let builder = SpanBuilder::from_name(name()).with_kind(kind).with_attributes(attributes()).with_links(links);
        Some(self.begin(builder, &Context::new()))
    }

    /// Exports the finished spans, for at most a few seconds, and no later ones.
    pub async fn stop(&self) {
        let provider = self.provider.clone();
        let stopped = spawn_blocking(move || provider.shutdown_with_timeout(FLUSH)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!(patience_ms = FLUSH.as_millis(), "Some of the last spans were not exported.");
        }
    }

    fn begin(&self, builder: SpanBuilder, context: &Context) -> Span {
        Span::new(self.tracer.build_with_context(builder, context))
    }
}

#[cfg(test)]
mod tests;
