//! Traces: spans of requests and events, and their way to a collector over OTLP.
//!
//! [`Traces`] makes spans. A span that ends goes into a queue with a bound (`queue`), from which the SDK's thread takes
//! batches for the exporter (`export`). Nothing here makes an event wait: what finds no room is counted and dropped.
//! [`Traceparent`] is what a header says of a trace.
//!
//! The names of attributes follow OpenTelemetry's semantic conventions. Which ones a span has is the concern of the
//! service that begins it.

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

/// Links of one span to others, at most.
pub const MAX_LINKS: usize = 128;

/// How long the last spans may take at a stop.
const FLUSH: Duration = Duration::from_secs(3);

/// What decides whether a span is exported that has no parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// `tracing.sample_ratio`: for traces that begin here.
    Ratio,
    /// The traces that it links to: see [`Traces::linked`].
    Links,
}

/// Who has sent a trace context.
#[derive(Clone, Copy, Debug)]
pub enum Caller {
    /// Somebody who has proved who it is: the span is a part of its trace, and it decides whether that is exported.
    Known(Option<Traceparent>),
    /// Anybody: the span begins a trace of ours, with a link to the other one. Else strangers could have everything
    /// exported.
    Anyone(Option<Traceparent>),
}

/// Makes spans, and exports those that are sampled.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Starts the export to `tracing.otlp_endpoint`, on the runtime of the caller; none where the config has none.
    /// `service` is the default for `tracing.service_name`; the ends of spans are counted in `spans`, see [`spans()`].
    ///
    /// # Errors
    /// Naming the key whose value cannot be used. The collector need not be there.
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
            // With what OTEL_RESOURCE_ATTRIBUTES says.
            .with_resource(Resource::builder().with_service_name(name).build())
            .build();
        let scope = InstrumentationScope::builder(service).with_version(env!("CARGO_PKG_VERSION")).build();
        Self { tracer: provider.tracer_with_scope(scope), provider }
    }

    /// Begins the span of a request by `caller` that came in at `at`.
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

    /// Begins a span of `kind` that concerns several traces: it has links to those of `others` that are sampled, to
    /// [`MAX_LINKS`] of them at most. None where there are none.
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

    /// Exports the spans that have ended, for a few seconds at most, and no others from now on.
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
