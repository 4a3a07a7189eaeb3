//! Exports spans to a collector: one OTLP request per batch, in protobuf over HTTP.
//!
//! A batch that the collector refuses is dropped and counted, without another attempt: traces are a sample, and events
//! do not wait for them.

use std::fmt::Display;
use std::sync::Arc;

use config::{ConfigError, Tracing};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message as _;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use service::causes::with_causes;
use service::{http, tls};
use tokio::runtime::Handle;

use crate::queue::Queue;
use report::Report;

mod report;

/// The most bytes of a collector's answer.
const MAX_ANSWER: usize = 64 * 1024;
/// The path where a collector accepts traces (OpenTelemetry Protocol Specification, "OTLP/HTTP Request").
const PATH: &str = "v1/traces";

/// Posts spans to a collector.
#[derive(Debug)]
pub(crate) struct Exporter {
    client: Client,
    url: Url,
    /// The client needs a runtime, and the exporting thread has none.
    runtime: Handle,
    resource: ResourceAttributesWithSchema,
    queue: Arc<Queue>,
    report: Report,
}

impl Exporter {
    /// Creates an exporter that posts spans from `queue` to `endpoint`, on the caller's runtime.
    ///
    /// # Errors
    /// If a value of the section cannot be used.
    pub(crate) fn new(config: &Tracing, endpoint: &str, queue: Arc<Queue>) -> Result<Self, ConfigError> {
        let url = traces_url(endpoint).ok_or_else(|| unusable("otlp_endpoint", "is not an address"))?;
        tls::install_provider();
        let builder = Client::builder().timeout(config.timeout).redirect(Policy::none());
        let mut builder = builder.default_headers(config.all_headers()?);
        if let Some(file) = &config.ca_file {
            builder = builder.tls_certs_merge(tls::authorities(file).map_err(|reason| unusable("ca_file", reason))?);
        }
        let client = builder.build().map_err(|error| unusable("otlp_endpoint", with_causes(&error)))?;
        let (resource, report) = (ResourceAttributesWithSchema::default(), Report::default());
        Ok(Self { client, url, runtime: Handle::current(), resource, queue, report })
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.queue.left(count);
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let posted = self.runtime.spawn(post(self.client.clone(), self.url.clone(), body)).await;
        let outcome = posted.unwrap_or_else(|_| Err("the runtime has ended".to_owned()));
        let refused = outcome.as_ref().map_or(count, |refused| *refused);
        self.queue.count(count, refused);
        self.report.note(refused, outcome.as_ref().err());
        outcome.map(drop).map_err(OTelSdkError::InternalFailure)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// Posts `body` to `url`; returns how many of its spans the collector refused.
async fn post(client: Client, url: Url, body: Vec<u8>) -> Result<usize, String> {
    let post = async {
        let request = client.post(url).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let mut answer = request.send().await?.error_for_status()?;
        http::body(&mut answer, MAX_ANSWER).await
    };
    let answer = post.await.map_err(|error: reqwest::Error| with_causes(&error.without_url()))?;
    // An unreadable answer counts as one that refuses nothing.
    let answer = answer.and_then(|answer| ExportTraceServiceResponse::decode(answer.as_slice()).ok());
    let refused = answer.and_then(|answer| answer.partial_success).map_or(0, |partial| partial.rejected_spans);
    Ok(usize::try_from(refused).unwrap_or_default())
}

/// Returns the address where the collector at `endpoint` accepts traces: `endpoint` itself if it already has the path.
fn traces_url(endpoint: &str) -> Option<Url> {
    let plain = endpoint.trim().trim_end_matches('/');
    Url::parse(&if plain.ends_with(PATH) { plain.to_owned() } else { format!("{plain}/{PATH}") }).ok()
}

fn unusable(key: &str, reason: impl Display) -> ConfigError {
    ConfigError(format!("tracing.{key}: {reason}"))
}

#[cfg(test)]
mod tests;
