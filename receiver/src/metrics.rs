//! The receiver's metrics. A new one is a field with its help as a doc comment, and a line in [`Metrics::new`].
//!
//! The metrics that every request updates are resolved to handles once per source ([`SourceMetrics`]).

use prometheus::{GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Result};
use rdkafka::error::RDKafkaErrorCode;
use service::metrics::{Registry, build_info, counter, counters, float_gauges, gauge, gauges, histograms};

use crate::proxy_protocol::Refusal;
use crate::reject::table::codes;
use crate::stages::produce::OPERATOR;
use bodies::{BodyMetrics, SourceBodyMetrics};
use schema::SchemaInfo;

pub(crate) mod bodies;
pub(crate) mod schema;

/// The upper bounds of durations in seconds: dense around 10 ms, where requests should be, and up to the deadline.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// The outcome of an accepted request; the other outcomes are the codes of [`crate::reject::Rejection`].
const ACCEPTED: &str = "accepted";

/// All metrics of one receiver.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Requests by source and outcome: `accepted`, or the code of the problem that was answered.
    pub(crate) requests: IntCounterVec,
    /// Requests to paths that no source has.
    pub(crate) unrouted: IntCounter,
    /// Events that Kafka has acknowledged, by source.
    pub(crate) events: IntCounterVec,
    /// Bytes of bodies read, by source.
    pub(crate) body_bytes: IntCounterVec,
    /// Time of requests from their head to their answer, by source.
    pub(crate) request_seconds: HistogramVec,
    /// Time of events from the producer's queue to Kafka's acknowledgement, by source.
    pub(crate) produce_seconds: HistogramVec,
    /// Requests answered with 503 because Kafka accepts no events until an operator fixes the cause, by source and
    /// error.
    kafka_refusals: IntCounterVec,
    /// Requests in flight.
    pub(crate) in_flight: IntGauge,
    /// Open connections.
    pub(crate) connections: IntGauge,
    /// Connections that were closed immediately because their address has reached its limit.
    pub(crate) refused_connections: IntCounter,
    /// Connections that were closed because of their header of the PROXY protocol, by reason.
    pub(crate) proxy_protocol_refusals: IntCounterVec,
    /// The schema that bare datums are framed with, by source.
    schema_info: IntGaugeVec,
    /// 1 while the latest schema of a source cannot be used and an older version stays in use, by source.
    schema_outdated: IntGaugeVec,
    /// 1 while the secrets in a source's file are unusable and the last ones stay in use, by source.
    pub(crate) secrets_unusable: IntGaugeVec,
    /// When the certificates of the listener expire, in seconds since the Unix epoch, by use: `server`, `client_ca`.
    pub(crate) certificate_expiry: GaugeVec,
    /// How long requests to the schema registry take, in seconds, by outcome.
    pub(crate) registry_requests: HistogramVec,
    /// Spans by outcome: `exported`, `dropped`, `failed`.
    pub(crate) spans: IntCounterVec,
    /// Pulls of schemas from CXone by outcome: `registered`, `unchanged`, `incompatible`, `failed`.
    pub(crate) cxone_pulls: IntCounterVec,
    /// The metrics of invalid and unusual bodies.
    pub(crate) bodies: BodyMetrics,
}

/// The metrics that a request to one source updates.
#[derive(Clone, Debug)]
pub(crate) struct SourceMetrics {
    name: String,
    requests: IntCounterVec,
    accepted: IntCounter,
    kafka_refusals: IntCounterVec,
    /// See [`Metrics::events`].
    pub(crate) events: IntCounter,
    /// See [`Metrics::body_bytes`].
    pub(crate) body_bytes: IntCounter,
    /// See [`Metrics::request_seconds`].
    pub(crate) request_seconds: Histogram,
    /// See [`Metrics::produce_seconds`].
    pub(crate) produce_seconds: Histogram,
    /// See [`Metrics::schema_info`].
    pub(crate) schema_info: SchemaInfo,
    /// 1 while the latest schema cannot be used and an older version stays in use.
    pub(crate) schema_outdated: IntGauge,
    /// See [`Metrics::bodies`].
    pub(crate) bodies: SourceBodyMetrics,
}

impl Metrics {
    /// Registers all metrics with `registry`.
    ///
    /// # Errors
    /// When one of the names is taken.
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        let source = &["source"];
        build_info(registry, "penstock_receiver_build_info", env!("CARGO_PKG_VERSION"))?;
        Ok(Self {
            requests: counters(
                registry,
                "penstock_receiver_requests_total",
                "Requests by source and outcome: accepted, or the code of the problem.",
                &["source", "outcome"],
            )?,
            unrouted: unrouted(registry)?,
            events: counters(
                registry,
                "penstock_receiver_events_total",
                "Events that Kafka has acknowledged, by source.",
                source,
            )?,
            body_bytes: counters(
                registry,
                "penstock_receiver_body_bytes_total",
                "Bytes of bodies read, by source.",
                source,
            )?,
            request_seconds: histograms(
                registry,
                "penstock_receiver_request_duration_seconds",
                "Time of requests from their head to their answer, by source.",
                source,
                &SECONDS,
            )?,
            produce_seconds: histograms(
                registry,
                "penstock_receiver_produce_duration_seconds",
                "Time of events from the producer's queue to Kafka's acknowledgement, by source.",
                source,
                &SECONDS,
            )?,
            kafka_refusals: kafka_refusals(registry)?,
            in_flight: gauge(registry, "penstock_receiver_requests_in_flight", "Requests in flight.")?,
            connections: gauge(registry, "penstock_receiver_connections", "Open connections.")?,
            refused_connections: refused_connections(registry)?,
            proxy_protocol_refusals: proxy_protocol_refusals(registry)?,
            schema_info: schema::info(registry)?,
            schema_outdated: schema_outdated(registry)?,
            secrets_unusable: secrets_unusable(registry)?,
            certificate_expiry: certificate_expiry(registry)?,
            registry_requests: registry::durations(registry, "penstock_receiver_registry_request_duration_seconds")?,
            spans: traces::spans(registry, "penstock_receiver_spans_total")?,
            cxone_pulls: cxone_pulls(registry)?,
            bodies: BodyMetrics::new(registry)?,
        })
    }

    /// Returns the handles of the source `name`.
    pub(crate) fn source(&self, name: &str) -> SourceMetrics {
        // A counter that appears with its first event shows no rise, so an alert would miss it.
        for code in codes() {
            self.requests.with_label_values(&[name, code]);
        }
        for code in OPERATOR {
            self.kafka_refusals.with_label_values(&[name, &format!("{code:?}")]);
        }
        SourceMetrics {
            name: name.to_owned(),
            requests: self.requests.clone(),
            accepted: self.requests.with_label_values(&[name, ACCEPTED]),
            kafka_refusals: self.kafka_refusals.clone(),
            events: self.events.with_label_values(&[name]),
            body_bytes: self.body_bytes.with_label_values(&[name]),
            request_seconds: self.request_seconds.with_label_values(&[name]),
            produce_seconds: self.produce_seconds.with_label_values(&[name]),
            schema_info: SchemaInfo::new(&self.schema_info, name),
            schema_outdated: self.schema_outdated.with_label_values(&[name]),
            bodies: self.bodies.source(name),
        }
    }
}

fn unrouted(registry: &Registry) -> Result<IntCounter> {
    counter(registry, "penstock_receiver_unrouted_requests_total", "Requests to paths that no source has.")
}

fn certificate_expiry(registry: &Registry) -> Result<GaugeVec> {
    let help =
        "When the first certificate of the listener's files expires, since the Unix epoch, by use: server, client_ca.";
    float_gauges(registry, "penstock_receiver_certificate_expiry_timestamp_seconds", help, &["use"])
}

fn schema_outdated(registry: &Registry) -> Result<IntGaugeVec> {
    let help = "1 while the latest schema of a source cannot be used and an older version stays in use, by source.";
    gauges(registry, "penstock_receiver_schema_outdated", help, &["source"])
}

fn kafka_refusals(registry: &Registry) -> Result<IntCounterVec> {
    let help =
        "Requests answered 503 because Kafka accepts no events until an operator fixes the cause, by source and error.";
    counters(registry, "penstock_receiver_kafka_refusals_total", help, &["source", "error"])
}

fn refused_connections(registry: &Registry) -> Result<IntCounter> {
    let help = "Connections that were closed immediately because their address has reached its limit.";
    counter(registry, "penstock_receiver_refused_connections_total", help)
}

fn proxy_protocol_refusals(registry: &Registry) -> Result<IntCounterVec> {
    let help = "Connections closed because of their header of the PROXY protocol, by reason: untrusted, missing, malformed, late.";
    let refusals = counters(registry, "penstock_receiver_proxy_protocol_refusals_total", help, &["reason"])?;
    for refusal in Refusal::ALL {
        refusals.with_label_values(&[refusal.code()]);
    }
    Ok(refusals)
}

fn secrets_unusable(registry: &Registry) -> Result<IntGaugeVec> {
    let help = "1 while the secrets in a source's file are unusable and the last ones stay in use.";
    gauges(registry, "penstock_receiver_secrets_unusable", help, &["source"])
}

fn cxone_pulls(registry: &Registry) -> Result<IntCounterVec> {
    let help = "Pulls of schemas from CXone by outcome: registered, unchanged, incompatible, failed.";
    let pulls = counters(registry, "penstock_receiver_cxone_pulls_total", help, &["outcome"])?;
    for outcome in ["registered", "unchanged", "incompatible", "failed"] {
        pulls.with_label_values(&[outcome]);
    }
    Ok(pulls)
}

impl SourceMetrics {
    /// Counts a request that was accepted with `events` events.
    pub(crate) fn accepted(&self, events: u64) {
        self.accepted.inc();
        self.events.inc_by(events);
    }

    /// Counts a request whose events Kafka refused with the error `code`.
    pub(crate) fn kafka_refused(&self, code: RDKafkaErrorCode) {
        self.kafka_refusals.with_label_values(&[self.name.as_str(), &format!("{code:?}")]).inc();
    }

    /// Counts a refused request. `code` is one of a closed set, never text from a request.
    pub(crate) fn rejected(&self, code: &'static str) {
        self.requests.with_label_values(&[self.name.as_str(), code]).inc();
    }
}

/// Adds one to a gauge for as long as it lives.
pub(crate) struct Counted(IntGauge);

impl Counted {
    /// Adds one to `gauge`.
    pub(crate) fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
