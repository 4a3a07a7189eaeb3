//! The admin port over real connections.

use std::time::Duration;

use crate::metrics::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::status::layout::{Layout, Parts};

const LAYOUT: Layout = Layout {
    service: "tester",
    version: "1.2.3",
    nodes: &[],
    parts: Parts { title: "Topics", label: "topic", columns: &[] },
};

struct Served {
    address: String,
    readiness: Arc<Readiness>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn served(registry: Registry) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
    let status = Status::new(&LAYOUT, registry, Arc::clone(&readiness));
    let task = tokio::spawn(serve(status, listener, shutdown.clone()));
    Served { address, readiness, shutdown, task }
}

impl Served {
    /// Returns the status and body of the answer.
    async fn request(&self, method: &str, path: &str) -> (u16, String) {
        let (status, _, body) = self.whole_request(method, path).await;
        (status, body)
    }

    /// Returns the status, headers and body of the answer.
    async fn whole_request(&self, method: &str, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }
}

#[tokio::test]
async fn metrics_are_in_the_text_format() {
    let registry = Registry::new();
    crate::metrics::counter(&registry, "penstock_test_total", "Counts nothing.").unwrap().inc();
    let (status, body) = served(registry).await.request("GET", "/metrics").await;
    assert_eq!(status, 200);
    assert!(body.contains("# HELP penstock_test_total Counts nothing.\n"), "{body}");
    assert!(body.contains("\npenstock_test_total 1\n"), "{body}");
}

#[tokio::test]
async fn a_service_is_live_before_it_is_ready() {
    let served = served(Registry::new()).await;
    let _kafka = served.readiness.condition("kafka");
    assert_eq!(served.request("GET", "/livez").await.0, 200);
    assert_eq!(served.request("GET", "/readyz").await.0, 503);
}

#[tokio::test]
async fn a_service_without_conditions_is_not_ready() {
    let served = served(Registry::new()).await;
    assert_eq!(served.request("GET", "/readyz").await, (503, "service: starting\n".to_owned()));
    served.readiness.condition("kafka").met();
    assert_eq!(served.request("GET", "/readyz").await.0, 200);
}

#[tokio::test]
async fn readyz_names_unmet_conditions_until_all_are_met() {
    let served = served(Registry::new()).await;
    let (kafka, registry) = (served.readiness.condition("kafka"), served.readiness.condition("registry"));
    kafka.met();
    assert!(kafka.is_met() && !registry.is_met());
    assert_eq!(served.request("GET", "/readyz").await, (503, "registry: starting\n".to_owned()));
    registry.met();
    assert_eq!(served.request("GET", "/readyz").await, (200, "ready\n".to_owned()));
    assert!(served.readiness.is_ready());
    kafka.unmet("no broker answers");
    assert_eq!(served.request("GET", "/readyz").await, (503, "kafka: no broker answers\n".to_owned()));
}

/// punkpeye/fastmcp#275, saml7n/parbaked#564: monitors and load balancers probe with HEAD.
#[tokio::test]
async fn a_probe_may_use_head() {
    let served = served(Registry::new()).await;
    assert_eq!(served.request("HEAD", "/livez").await, (200, String::new()));
    assert_eq!(served.request("HEAD", "/readyz").await, (503, String::new()));
    served.readiness.condition("kafka").met();
    assert_eq!(served.request("HEAD", "/readyz").await, (200, String::new()));
}

#[tokio::test]
async fn a_condition_requested_twice_is_the_same() {
    let readiness = Readiness::new();
    let (first, second) = (readiness.condition("kafka"), readiness.condition("kafka"));
    first.met();
    assert!(second.is_met() && readiness.unmet().is_empty());
}

#[tokio::test]
async fn unknown_paths_and_posts_are_refused() {
    let served = served(Registry::new()).await;
    assert_eq!(served.request("GET", "/other").await.0, 404);
    assert_eq!(served.request("POST", "/readyz").await.0, 405);
    assert_eq!(served.request("POST", "/").await.0, 405);
}

#[tokio::test]
async fn the_status_page_is_sent_with_strict_security_headers() {
    let served = served(Registry::new()).await;
    let (status, head, body) = served.whole_request("GET", "/").await;
    assert_eq!(status, 200);
    assert!(body.contains("Penstock tester"), "{body}");
    for header in [
        "content-type: text/html; charset=utf-8",
        &format!("content-security-policy: {}", SECURITY_POLICY.as_str()),
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
}

#[tokio::test]
async fn the_status_is_served_as_json() {
    let (status, body) = served(Registry::new()).await.request("GET", "/status.json").await;
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &json["service"], &json["ready"]), (200, &"tester".into(), &false.into()));
}

#[tokio::test]
async fn a_client_with_half_a_request_does_not_delay_the_stop() {
    let served = served(Registry::new()).await;
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    stream.write_all(b"GET /livez HT").await.unwrap();
    // This answer shows that the half request was received before.
    assert_eq!(served.request("GET", "/livez").await.0, 200);
    served.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(60), served.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_probe_is_answered_while_many_connections_wait() {
    let served = served(Registry::new()).await;
    let mut waiting = Vec::new();
    for _ in 0..3 * connections::MOST {
        let mut stream = TcpStream::connect(&served.address).await.unwrap();
        stream.write_all(b"GET /livez HT").await.unwrap();
        waiting.push(stream);
    }
    assert_eq!(served.request("GET", "/livez").await.0, 200);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(60), waiting[0].read_to_end(&mut rest)).await;
    assert!(rest.is_empty(), "the oldest was answered: {ended:?}");
    let kept = waiting.split_off(waiting.len() - connections::MOST / 2);
    drop(waiting);
    for mut stream in kept {
        stream.write_all(b"TP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
