//! Proxies in front of the receiver: the PROXY protocol, and client certificates in a header.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use bytes::Bytes;
use harness::certificates::Authority;
use harness::config::Config;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{Connection, Method, Request, StatusCode};
use harness::pipeline::{PATH, Pipeline, Service, metric, ready, source};
use harness::stack::Stack;
use http_body_util::Full;
use receiver::config::{Auth, CertificateFormat, ForwardedCertificate, Network, ProxyProtocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REFUSALS: &str = "penstock_receiver_proxy_protocol_refusals_total";

/// A receiver with a changed config.
struct Front {
    pipeline: Pipeline,
    receiver: Service,
}

impl Front {
    async fn new(scenario: &str, proxies: &str, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
        let mut config = pipeline.config.clone();
        config.receiver.trusted_proxies = vec![proxies.parse::<Network>().map_err(anyhow::Error::msg)?];
        change(&mut config);
        let receiver = Service::receiver(config).await?;
        ready(&receiver.admin_url()).await?;
        Ok(Self { pipeline, receiver })
    }

    /// Opens a connection that begins with `head`.
    async fn connect(&self, head: &[u8]) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(self.receiver.target()).await?;
        stream.write_all(head).await?;
        Ok(stream)
    }

    /// Posts an event with `headers` over a connection that begins with `head`.
    async fn post(&self, head: &[u8], headers: &[(&str, &str)]) -> Result<StatusCode> {
        let mut connection = Connection::over(self.connect(head).await?).await?;
        Ok(connection.send(self.request(headers)?).await?.status)
    }

    fn request(&self, headers: &[(&str, &str)]) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(Method::POST).uri(PATH).header("host", "receiver.example");
        let token = format!("Bearer {}", self.pipeline.token);
        for (name, value) in
            headers.iter().chain(&[("authorization", token.as_str()), ("content-type", "application/avro")])
        {
            request = request.header(*name, *value);
        }
        Ok(request.body(Full::from(Events::unique().event(0).encode()))?)
    }

    /// Waits until this many connections were refused for this reason.
    async fn refused(&self, reason: &str, times: f64) -> Result<()> {
        eventually("the refusal is counted", || async {
            let sample = format!("{REFUSALS}{{reason=\"{reason}\"}}");
            let count = metric(&self.receiver.admin_url(), &sample).await?;
            anyhow::ensure!(count == times, "{reason}: {count}");
            Ok(())
        })
        .await
    }
}

/// Returns the head of version 2 of the PROXY protocol with this command and client address, and with a TLV.
fn head(command: u8, client: [u8; 4]) -> Vec<u8> {
    let tlv = b"\x04\x00\x03\0\0\0";
    let ports = [0xc0, 0x00, 0x1f, 0x90];
    let rest = [&client[..], &Ipv4Addr::LOCALHOST.octets(), &ports, tlv].concat();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, 0x11, 0, rest.len() as u8][..], &rest].concat()
}

/// Returns whether the other side closes the connection without an answer.
async fn is_closed(mut stream: TcpStream) -> Result<bool> {
    let mut answer = Vec::new();
    // A reset also counts as closed.
    let read = tokio::time::timeout(std::time::Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    Ok(read.context("it is not closed")?.map_or(true, |_| answer.is_empty()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxied_connection_counts_for_the_address_in_its_head() -> Result<()> {
    let front = Front::new("proxy-protocol", "127.0.0.1", |config| {
        config.receiver.proxy_protocol = ProxyProtocol::V2;
        config.receiver.max_connections_per_address = Some(1);
        config.receiver.head_timeout = std::time::Duration::from_secs(2);
    })
    .await?;
    // A health check of the proxy itself, and two clients.
    assert_eq!(front.post(&head(0x20, [0; 4]), &[]).await?, 200);
    let mut first = Connection::over(front.connect(&head(0x21, [192, 0, 2, 7])).await?).await?;
    assert_eq!(first.send(front.request(&[])?).await?.status, 200);
    assert_eq!(front.post(&head(0x21, [192, 0, 2, 8]), &[]).await?, 200);
    // The address may have one connection, and the sender of that one is known.
    assert!(is_closed(front.connect(&head(0x21, [192, 0, 2, 7])).await?).await?);
    assert_eq!(metric(&front.receiver.admin_url(), "penstock_receiver_refused_connections_total").await?, 1.0);
    assert_eq!(first.send(front.request(&[])?).await?.status, 200, "the first goes on");

    assert!(is_closed(front.connect(b"POST / HTTP/1.1\r\n\r\n").await?).await?);
    front.refused("missing", 1.0).await?;
    assert!(is_closed(front.connect(&head(0x2f, [192, 0, 2, 7])).await?).await?);
    front.refused("malformed", 1.0).await?;
    assert!(is_closed(front.connect(b"\r\n\r\n\0").await?).await?);
    front.refused("late", 1.0).await?;
    // A plain check of the port is no violation.
    drop(front.connect(b"").await?);
    assert_eq!(front.post(&head(0x20, [0; 4]), &[]).await?, 200);
    front.refused("missing", 1.0).await?;
    front.refused("untrusted", 0.0).await?;
    front.receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_1_of_the_proxy_protocol_is_accepted() -> Result<()> {
    let front = Front::new("proxy-protocol-text", "127.0.0.1", |config| {
        config.receiver.proxy_protocol = ProxyProtocol::V1;
        config.receiver.max_connections_per_address = Some(1);
    })
    .await?;
    let line = |client: &str| format!("PROXY TCP4 {client} 127.0.0.1 49152 8080\r\n").into_bytes();
    assert_eq!(front.post(b"PROXY UNKNOWN\r\n", &[]).await?, 200);
    let mut first = Connection::over(front.connect(&line("192.0.2.7")).await?).await?;
    assert_eq!(first.send(front.request(&[])?).await?.status, 200);
    assert_eq!(front.post(&line("192.0.2.8"), &[]).await?, 200);
    assert!(is_closed(front.connect(&line("192.0.2.7")).await?).await?, "the address has its one place");
    for (head, reason) in [(line("192.0.2.256"), "malformed"), (head(0x21, [192, 0, 2, 9]), "missing")] {
        assert!(is_closed(front.connect(&head).await?).await?);
        front.refused(reason, 1.0).await?;
    }
    front.receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_trusted_proxy_may_connect_with_the_proxy_protocol() -> Result<()> {
    let any = |config: &mut Config| config.receiver.proxy_protocol = ProxyProtocol::Any;
    let front = Front::new("proxy-protocol-untrusted", "192.0.2.0/24", any).await?;
    let text = b"PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n".to_vec();
    for head in [head(0x21, [192, 0, 2, 7]), head(0x20, [0; 4]), b"POST / HTTP/1.1\r\n\r\n".to_vec(), text] {
        assert!(is_closed(front.connect(&head).await?).await?);
    }
    front.refused("untrusted", 4.0).await?;
    front.receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_in_a_header_counts_only_from_a_trusted_proxy() -> Result<()> {
    let mtls = |format| {
        move |config: &mut Config| {
            let auth = Auth::Mtls { names: vec!["sender.example".to_owned()] };
            let topic = config.kafka.topic.clone();
            config.receiver.sources.insert("cxone".to_owned(), source(&topic, auth));
            config.receiver.forwarded_certificate = Some(ForwardedCertificate { format, header: None });
        }
    };
    let front = Front::new("proxy-mtls", "127.0.0.1", mtls(CertificateFormat::Xfcc)).await?;
    let header = "x-forwarded-client-cert";
    for (value, status) in [
        ("Hash=00;DNS=sender.example", 200),
        ("DNS=other.example", 401),
        ("DNS=sender.example,DNS=other.example", 401),
        ("nonsense", 401),
    ] {
        assert_eq!(front.post(b"", &[(header, value)]).await?, status, "{value}");
    }
    assert_eq!(front.post(b"", &[]).await?, 401, "without the header");
    front.receiver.stop().await?;

    let authority = Authority::new(&front.pipeline.file("authority"))?;
    let pem =
        std::fs::read_to_string(authority.issue("sender", &["sender.example"])?.certificate)?.replace('\n', "%0A");
    let front = Front::new("proxy-mtls-pem", "127.0.0.1", mtls(CertificateFormat::Pem)).await?;
    assert_eq!(front.post(b"", &[("x-ssl-client-cert", &pem)]).await?, 200);
    assert_eq!(front.post(b"", &[("x-ssl-client-cert", &pem[..pem.len() / 2])]).await?, 401);
    front.receiver.stop().await?;

    let stranger = Front::new("proxy-mtls-stranger", "192.0.2.0/24", mtls(CertificateFormat::Xfcc)).await?;
    assert_eq!(stranger.post(b"", &[(header, "DNS=sender.example")]).await?, 401);
    stranger.receiver.stop().await?;

    // The load balancer is trusted, but not the client behind it.
    let behind = Front::new("proxy-mtls-behind", "127.0.0.1", |config| {
        mtls(CertificateFormat::Xfcc)(config);
        config.receiver.proxy_protocol = ProxyProtocol::V2;
    })
    .await?;
    let value = [(header, "DNS=sender.example")];
    assert_eq!(behind.post(&head(0x21, [192, 0, 2, 7]), &value).await?, 401);
    assert_eq!(behind.post(&head(0x21, [127, 0, 0, 1]), &value).await?, 200);
    behind.receiver.stop().await
}
