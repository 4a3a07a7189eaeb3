//! The description of the webhooks is served, and its curl examples work.

use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::certificates::Authority;
use harness::curl::{curl, shell};
use harness::event::Events;
use harness::http;
use harness::pipeline::{Pipeline, Service, ready, source};
use harness::stack::Stack;
use receiver::config::{Auth, HmacAlgorithm, HmacEncoding, Source, Tls};
use serde_json::Value;
use service::secret::Secret;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const CREDENTIALS: &str = "sender:0123456789abcdef";

fn hmac(algorithm: HmacAlgorithm, encoding: HmacEncoding, timestamp: Option<&str>, signed: Option<&str>) -> Auth {
    Auth::Hmac {
        header: "X-Signature".to_owned(),
        algorithm,
        encoding,
        prefix: "sha=".to_owned(),
        timestamp_prefix: None,
        trusted_headers: Vec::new(),
        timestamp_header: timestamp.map(str::to_owned),
        signed: signed.map(str::to_owned),
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: vec![Secret::new(SECRET)],
        secrets_file: None,
    }
}

/// Returns an `auth` of each type. The `SECRET` of the examples is the same for all.
fn auths() -> Vec<(&'static str, Auth)> {
    let (short, long, base64) = (HmacAlgorithm::Sha256, HmacAlgorithm::Sha512, HmacEncoding::Base64);
    vec![
        ("open", Auth::None),
        ("bearer", Auth::Bearer { tokens: vec![Secret::new(SECRET)], tokens_file: None }),
        ("basic", Auth::Basic { credentials: vec![Secret::new(CREDENTIALS)], credentials_file: None }),
        ("plain", hmac(short, HmacEncoding::Hex, None, None)),
        ("long", hmac(long, base64, Some("X-Time"), None)),
        ("told", hmac(short, base64, Some("X-Time"), Some("<v0:{body}|{timestamp}>"))),
        (
            "webhooks",
            Auth::StandardWebhooks {
                trusted_headers: Vec::new(),
                tolerance: Duration::from_secs(300),
                replay_capacity: 100,
                // The examples have one secret, so it is base64 and also a good secret for the other types.
                secrets: vec![Secret::new(SECRET)],
                secrets_file: None,
            },
        ),
        ("mtls", Auth::Mtls { names: Vec::new() }),
    ]
}

#[tokio::test]
async fn the_curl_examples_work() -> Result<()> {
    assert!(STANDARD.decode(SECRET).is_ok());
    let pipeline = Pipeline::new(&Stack::running()?, "openapi").await?;
    let authority = Authority::new(&pipeline.file("authority"))?;
    let (server, client) = (authority.issue("server", &["127.0.0.1"])?, authority.issue("client", &["sender"])?);
    let mut config = pipeline.config.clone();
    let topic = config.kafka.topic.clone();
    config.receiver.publish_openapi = true;
    config.receiver.tls = Some(Tls {
        certificate_file: server.certificate,
        key_file: server.key,
        client_ca_file: Some(authority.ca_file()),
    });
    let sources = auths()
        .into_iter()
        .map(|(name, auth)| (name.to_owned(), Source { path: format!("/webhook/{name}"), ..source(&topic, auth) }));
    config.receiver.sources = sources.collect();
    let receiver = Service::receiver(config).await?;
    ready(&receiver.admin_url()).await?;

    let (url, ca) = (format!("https://{}", receiver.target()), authority.ca_file().display().to_string());
    let public = curl(&["--cacert", &ca, &format!("{url}/openapi.json")]).await?;
    assert_eq!(public.status, 200, "{public:?}");
    let document: Value = serde_json::from_str(&public.body)?;
    let on_admin = http::get(&format!("{}/openapi.json", receiver.admin_url())).await?;
    assert_eq!(on_admin.json()?, document);

    let event = pipeline.file("event").display().to_string();
    std::fs::write(&event, Events::unique().event(0).encode())?;
    let (certificate, key) = (client.certificate.display().to_string(), client.key.display().to_string());
    let variables = [
        ("URL", url.as_str()),
        ("EVENT", &event),
        ("TOKEN", SECRET),
        ("SECRET", SECRET),
        ("CREDENTIALS", CREDENTIALS),
        ("CERTIFICATE", &certificate),
        ("KEY", &key),
        ("CURL_CA_BUNDLE", &ca),
    ];
    let paths = document["paths"].as_object().context("no paths")?;
    assert_eq!(paths.len(), auths().len());
    for (path, item) in paths {
        let example = item["post"]["x-codeSamples"][0]["source"].as_str().context("no example")?;
        assert_eq!(shell(example, &variables).await?, r#"{"accepted":1}"#, "{path}");
    }
    assert_eq!(pipeline.kafka.count(&topic).await?, paths.len() as u64);
    Ok(())
}

#[tokio::test]
async fn by_default_the_description_is_only_on_the_admin_port() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "openapi-admin").await?;
    let receiver = pipeline.receiver().await?;
    assert_eq!(http::get(&format!("{}/openapi.json", receiver.admin_url())).await?.status, 200);
    assert_eq!(http::get(&format!("http://{}/openapi.json", receiver.target())).await?.status, 404);
    Ok(())
}
