//! Tests against a stub collector: a thread that answers one request.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
use service::metrics::Registry;
use service::secret::Secret;

use super::*;
use crate::{Caller, Sampling, Traces, spans};

/// Answers one request with `status` and `body`. Returns its address, and a handle for the request's head and body.
fn collector(status: u16, body: Vec<u8>) -> (String, JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/otlp", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut posted = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut posted).unwrap();
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(&[answer.as_bytes(), &body].concat()).unwrap();
        (head, posted)
    });
    (address, thread)
}

/// Exports one span to `endpoint`; returns how many were exported and how many failed.
async fn export(endpoint: &str) -> [u64; 2] {
    let counted = spans(&Registry::new(), "spans_total").unwrap();
    let config = Tracing {
        otlp_endpoint: Some(endpoint.to_owned()),
        headers: [("api-key".to_owned(), Secret::new("k"))].into(),
        ..Tracing::default()
    };
    let traces = Traces::start(&config, "penstock-test", Sampling::Ratio, &counted).unwrap().unwrap();
    drop(traces.server("POST /w".to_owned(), Caller::Known(None), SystemTime::now(), Vec::new()));
    traces.stop().await;
    ["exported", "failed"].map(|outcome| counted.with_label_values(&[outcome]).get())
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_posted_below_the_endpoint_with_its_headers_and_the_service() {
    let (endpoint, request) = collector(200, Vec::new());
    assert_eq!(export(&endpoint).await, [1, 0]);
    let (head, body) = request.join().unwrap();
    assert!(head.starts_with("POST /otlp/v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("api-key: k\r\n") && head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let [of_service] = &request.resource_spans[..] else { panic!("{request:?}") };
    let resource = format!("{:?}", of_service.resource);
    assert!(resource.contains("service.name") && resource.contains("penstock-test"), "{resource}");
    assert_eq!(of_service.scope_spans[0].spans[0].name, "POST /w");
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_the_collector_does_not_accept_count_as_failed() {
    let partial = ExportTracePartialSuccess { rejected_spans: 1, error_message: "no".to_owned() };
    let partial = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    for (status, body) in [(503, Vec::new()), (200, partial)] {
        let (endpoint, _request) = collector(status, body);
        assert_eq!(export(&endpoint).await, [0, 1]);
    }
    assert_eq!(export("http://127.0.0.1:1").await, [0, 1]);
}

#[test]
fn the_path_is_appended_unless_present() {
    for (endpoint, url) in [
        ("http://a:4318", "http://a:4318/v1/traces"),
        ("http://a/otlp/", "http://a/otlp/v1/traces"),
        ("https://a/v1/traces", "https://a/v1/traces"),
    ] {
        assert_eq!(traces_url(endpoint).unwrap().as_str(), url);
    }
}

#[tokio::test]
async fn the_error_for_an_unusable_value_names_its_key() {
    let spans = spans(&Registry::new(), "spans_total").unwrap();
    let config = Tracing {
        otlp_endpoint: Some("http://127.0.0.1:1".to_owned()),
        ca_file: Some("/dev/null".into()),
        ..Tracing::default()
    };
    let error = Traces::start(&config, "test", Sampling::Ratio, &spans).unwrap_err().to_string();
    assert_eq!(error, "tracing.ca_file: /dev/null holds no certificate in PEM form");
}
