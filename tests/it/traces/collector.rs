//! A stub of a collector: it keeps the spans that are posted to it, and does not process them. The tests have no real
//! collector.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;

/// A running stub.
#[derive(Clone)]
pub(super) struct Collector {
    /// The address of the stub.
    pub(super) url: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    /// Starts a stub that accepts requests with the header `api-key: KEY`.
    pub(super) async fn start(key: &'static str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let collector = Self { url, spans: Arc::default() };
        let serving = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let collector = serving.clone();
                let service = service_fn(move |request| take(request, collector.clone(), key));
                tokio::spawn(async move {
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok()
                });
            }
        });
        Ok(collector)
    }

    /// Returns all posted spans.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the spans with this name.
    pub(super) fn named(&self, name: &str) -> Vec<Span> {
        self.spans().into_iter().filter(|span| span.name == name).collect()
    }
}

async fn take(request: Request<Incoming>, collector: Collector, key: &str) -> Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let is_known = head.headers.get("api-key").is_some_and(|value| value == key);
    let status = match head.uri.path() {
        "/v1/traces" if is_known => StatusCode::OK,
        "/v1/traces" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::NOT_FOUND,
    };
    if status == StatusCode::OK {
        let request = ExportTraceServiceRequest::decode(body.collect().await?.to_bytes())?;
        let scopes = request.resource_spans.into_iter().flat_map(|of_service| of_service.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        collector.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
    }
    Ok(Response::builder().status(status).body(Full::default())?)
}

/// Returns the attribute `key` of `span` as text.
pub(super) fn attribute(span: &Span, key: &str) -> Result<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key);
    match attribute
        .and_then(|attribute| attribute.value.clone()?.value)
        .with_context(|| format!("no {key}: {span:?}"))?
    {
        Value::StringValue(text) => Ok(text),
        Value::IntValue(number) => Ok(number.to_string()),
        other => anyhow::bail!("{key} is {other:?}"),
    }
}
