//! HTTPS: both versions of HTTP, client certificates, and certificates that are renewed at run time.

use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use bytes::Bytes;
use harness::certificates::{Authority, Files};
use harness::config::Config;
use harness::curl::{Outcome, curl};
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{Connection, Method, Request};
use harness::pipeline::{PATH, Pipeline, Service, ready, source};
use harness::stack::Stack;
use http_body_util::Full;
use receiver::config::{Auth, Tls};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, HandshakeKind};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

struct Https {
    pipeline: Pipeline,
    authority: Authority,
    receiver: Service,
    event: String,
}

impl Https {
    async fn new(scenario: &str, change: impl FnOnce(&mut Config, &Authority)) -> Result<Self> {
        let pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
        let authority = Authority::new(&pipeline.file("authority"))?;
        let server = authority.issue("server", &["127.0.0.1"])?;
        let mut config = pipeline.config.clone();
        config.receiver.tls = Some(Tls {
            certificate_file: server.certificate,
            key_file: server.key,
            client_ca_file: Some(authority.ca_file()),
        });
        change(&mut config, &authority);
        let receiver = Service::receiver(config).await?;
        ready(&receiver.admin_url()).await?;
        let event = pipeline.file("event").display().to_string();
        std::fs::write(&event, Events::unique().event(0).encode())?;
        Ok(Self { pipeline, authority, receiver, event })
    }

    /// Posts the event with curl.
    async fn post(&self, options: &[&str]) -> Result<Outcome> {
        let (ca, url) = (self.authority.ca_file().display().to_string(), self.url());
        let (body, token) = (format!("@{}", self.event), format!("authorization: Bearer {}", self.pipeline.token));
        let common = ["--cacert", &ca, "--data-binary", &body, "-H", "content-type: application/avro", "-H", &token];
        curl(&[options, &common, &[&url]].concat()).await
    }

    fn url(&self) -> String {
        format!("https://{}{PATH}", self.receiver.target())
    }

    async fn connect(&self) -> Result<TlsStream<TcpStream>> {
        self.connect_by(Arc::new(self.client()?.with_no_client_auth())).await
    }

    /// Returns the settings of a client that accepts the receiver's certificate.
    fn client(&self) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.authority.ca_file())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(builder.with_root_certificates(roots))
    }

    async fn connect_by(&self, config: Arc<ClientConfig>) -> Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.receiver.target()).await?;
        Ok(TlsConnector::from(config).connect(ServerName::try_from("127.0.0.1")?, stream).await?)
    }

    fn request(&self) -> Result<Request<Full<Bytes>>> {
        Ok(Request::builder()
            .method(Method::POST)
            .uri(PATH)
            .header("host", self.receiver.target())
            .header("authorization", format!("Bearer {}", self.pipeline.token))
            .header("content-type", "application/avro")
            .body(Full::from(std::fs::read(&self.event)?))?)
    }

    async fn produced(&self) -> Result<u64> {
        self.pipeline.kafka.count(&self.pipeline.config.kafka.topic).await
    }
}

fn client(files: &Files) -> [String; 4] {
    let path = |path: &std::path::Path| path.display().to_string();
    ["--cert".to_owned(), path(&files.certificate), "--key".to_owned(), path(&files.key)]
}

#[tokio::test]
async fn both_versions_of_http_work_over_tls_and_only_over_tls() -> Result<()> {
    let https = Https::new("tls-versions", |_, _| {}).await?;
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let outcome = https.post(&[option]).await?;
        assert_eq!((outcome.status, outcome.version.as_str()), (200, version), "{outcome:?}");
        assert_eq!(outcome.body, r#"{"accepted":1}"#);
    }
    let plain = https.url().replace("https:", "http:");
    let outcome = curl(&["--data-binary", "x", &plain]).await?;
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(https.produced().await?, 2);
    Ok(())
}

#[tokio::test]
async fn only_a_client_certificate_with_the_right_name_is_accepted() -> Result<()> {
    let https = Https::new("tls-client", |config, _| {
        let auth = Auth::Mtls { names: vec!["sender.example".to_owned()] };
        let topic = config.kafka.topic.clone();
        config.receiver.sources.insert("cxone".to_owned(), source(&topic, auth));
    })
    .await?;
    let right = https.authority.issue("sender", &["sender.example"])?;
    let other = https.authority.issue("other", &["other.example"])?;
    let strangers = Authority::new(&https.pipeline.file("strangers"))?;
    let stranger = strangers.issue("sender", &["sender.example"])?;

    let outcome = https.post(&[]).await?;
    assert_eq!(outcome.status, 401, "without a certificate: {outcome:?}");
    assert!(outcome.body.contains("urn:penstock:problem:unauthorized"), "{outcome:?}");
    let outcome = https.post(&client(&other).each_ref().map(String::as_str)).await?;
    assert_eq!(outcome.status, 401, "another's certificate: {outcome:?}");
    // The handshake itself fails.
    let outcome = https.post(&client(&stranger).each_ref().map(String::as_str)).await?;
    assert_eq!(outcome.status, 0, "a stranger's certificate: {outcome:?}");
    assert_eq!(https.produced().await?, 0);

    let outcome = https.post(&client(&right).each_ref().map(String::as_str)).await?;
    assert_eq!(outcome.status, 200, "{outcome:?}");
    assert_eq!(https.produced().await?, 1);
    Ok(())
}

/// The handshake of a resumed session shows no certificate. The certificate of the previous session counts until it
/// expires.
#[tokio::test]
async fn an_expired_client_certificate_stops_working_on_resumed_sessions() -> Result<()> {
    let https = Https::new("tls-resumption", |config, _| {
        let topic = config.kafka.topic.clone();
        config.receiver.sources.insert("cxone".to_owned(), source(&topic, Auth::Mtls { names: Vec::new() }));
    })
    .await?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let files = https.authority.issue_until("short", &["sender.example"], Some(i64::try_from(now)? + 8))?;
    let chain = vec![CertificateDer::from_pem_file(&files.certificate)?];
    let key = PrivateKeyDer::from_pem_file(&files.key)?;
    // The client stores the sessions.
    let settings = Arc::new(https.client()?.with_client_auth_cert(chain, key)?);
    let post = || async {
        let stream = https.connect_by(Arc::clone(&settings)).await?;
        let kind = stream.get_ref().1.handshake_kind().context("no handshake")?;
        let answer = Connection::over(stream).await?.send(https.request()?).await?;
        anyhow::Ok((kind, answer.status.as_u16()))
    };
    assert_eq!(post().await?, (HandshakeKind::Full, 200));
    assert_eq!(post().await?, (HandshakeKind::Resumed, 200));
    eventually("the certificate has expired", || async {
        let (kind, status) = post().await?;
        assert_eq!(kind, HandshakeKind::Resumed, "{status}");
        anyhow::ensure!(status == 401, "{status}");
        Ok(())
    })
    .await?;
    // TLS counts in whole seconds.
    eventually("a new handshake fails", || async {
        let outcome = https.post(&client(&files).each_ref().map(String::as_str)).await?;
        anyhow::ensure!(outcome.status == 0, "{outcome:?}");
        Ok(())
    })
    .await?;
    https.receiver.stop().await
}

#[tokio::test]
async fn a_renewed_certificate_serves_new_connections_and_drops_none() -> Result<()> {
    let https = Https::new("tls-renewal", |_, _| {}).await?;
    let mut kept = Connection::over(https.connect().await?).await?;
    assert_eq!(kept.send(https.request()?).await?.status, 200);

    let renewed = https.authority.issue("server", &["127.0.0.1"])?;
    let renewed = CertificateDer::from_pem_file(&renewed.certificate)?;
    eventually("the renewed certificate is served", || async {
        let stream = https.connect().await?;
        let served = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).context("no certificate")?;
        anyhow::ensure!(*served == renewed, "it is another one");
        Ok(())
    })
    .await?;
    assert_eq!(kept.send(https.request()?).await?.status, 200, "on the connection from before");
    assert_eq!(Connection::over(https.connect().await?).await?.send(https.request()?).await?.status, 200);
    assert_eq!(https.produced().await?, 3);
    Ok(())
}
