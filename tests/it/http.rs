//! The answers of the receiver, row by row. Only a 200 leaves a record.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::config::Config;
use harness::event::Events;
use harness::http::{self, HttpAnswer, Method};
use harness::pipeline::{Pipeline, Service, ready, source};
use harness::stack::Stack;
use hmac::{Hmac, KeyInit, Mac};
use receiver::config::{Auth, HmacAlgorithm, HmacEncoding};
use sha2::Sha256;

/// The error, the status, the headers, the body.
type Row<'a> = (&'a str, u16, &'a [(&'a str, &'a str)], &'a [u8]);

const AVRO: (&str, &str) = ("content-type", "application/avro");

async fn post(receiver: &Service, headers: &[(&str, &str)], body: &[u8]) -> Result<HttpAnswer> {
    http::send(Method::POST, &receiver.url(), headers, body.to_vec()).await
}

/// Checks an answer that is not a 200.
fn assert_problem(answer: &HttpAnswer, status: u16, what: &str) -> Result<()> {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    let problem = answer.json()?;
    assert_eq!(problem["status"], status, "{what}: {problem}");
    for member in ["type", "title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: no {member} in {problem}");
    }
    Ok(())
}

async fn assert_nothing_produced(pipeline: &Pipeline) -> Result<()> {
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 0, "a refused event is in Kafka");
    Ok(())
}

#[tokio::test]
async fn senders_without_a_valid_token_get_401_without_a_reason() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "http-bearer").await?;
    let receiver = pipeline.receiver().await?;
    let body = Events::unique().event(0).encode();
    let (wrong, lower) = (format!("Bearer {}x", pipeline.token), format!("Basic {}", pipeline.token));
    let mut texts = Vec::new();
    for value in [None, Some("Bearer "), Some(wrong.as_str()), Some(lower.as_str()), Some(pipeline.token.as_str())] {
        let mut headers = vec![AVRO];
        headers.extend(value.map(|value| ("authorization", value)));
        let answer = post(&receiver, &headers, &body).await?;
        assert_problem(&answer, 401, &format!("{value:?}"))?;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        texts.push(answer.text());
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "the answers tell why: {texts:?}");
    assert_nothing_produced(&pipeline).await
}

#[tokio::test]
async fn bodies_that_are_no_events_are_refused_and_not_produced() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "http-refused").await?;
    let receiver = pipeline.receiver().await?;
    let token = format!("Bearer {}", pipeline.token);
    let authorization = ("authorization", token.as_str());
    let good = Events::unique().event(0).encode();
    let unknown_id = [&[0, 0x7f, 0xff, 0xff, 0xff], good.as_slice()].concat();
    let (truncated, trailing) = (&good[..good.len() - 1], [good.as_slice(), &[0]].concat());
    let mut not_utf8 = good.clone();
    not_utf8[46] = 0xff;
    let text = ("content-type", "application/json");
    let confluent = ("content-type", "application/vnd.confluent.avro");
    let rows: [Row<'_>; 11] = [
        ("JSON", 415, &[text], b"{}"),
        ("no content type", 415, &[], &good),
        ("compressed", 415, &[AVRO, ("content-encoding", "br")], &good),
        ("empty", 400, &[AVRO], b""),
        ("truncated", 400, &[AVRO], truncated),
        ("trailing byte", 400, &[AVRO], &trailing),
        ("not UTF-8", 400, &[AVRO], &not_utf8),
        ("noise", 400, &[AVRO], &[0xff; 64]),
        ("unknown schema id in the frame", 400, &[confluent], &unknown_id),
        ("unknown schema id in the header", 400, &[AVRO, ("x-schema-id", "2147483647")], &good),
        ("a frame cut short", 400, &[confluent], &[0, 0, 0]),
    ];
    for (what, status, headers, body) in rows {
        let headers: Vec<_> = headers.iter().copied().chain([authorization]).collect();
        assert_problem(&post(&receiver, &headers, body).await?, status, what)?;
    }
    assert_nothing_produced(&pipeline).await
}

#[tokio::test]
async fn a_refused_datum_names_its_field_and_byte() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "http-field").await?;
    let receiver = pipeline.receiver().await?;
    let token = format!("Bearer {}", pipeline.token);
    let mut datum = Events::unique().event(0).encode();
    // The datum has 37 bytes of event_id, 6 of timestamp, one of length, and then the text of action_type.
    datum[46] = 0xff;
    let answer = post(&receiver, &[AVRO, ("authorization", &token)], &datum).await?;
    assert_problem(&answer, 400, "not UTF-8")?;
    let problem = answer.json()?;
    assert_eq!(problem["field"], "action_type", "{problem}");
    assert!(problem["offset"].as_u64().is_some_and(|offset| (43..=46).contains(&offset)), "{problem}");
    Ok(())
}

#[tokio::test]
async fn only_a_post_to_the_webhooks_path_is_allowed() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "http-method").await?;
    let receiver = pipeline.receiver().await?;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = http::send(method.clone(), &receiver.url(), &[], "").await?;
        assert_problem(&answer, 405, method.as_str())?;
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    let elsewhere = format!("http://{}/webhook/other", receiver.target());
    assert_problem(&http::send(Method::POST, &elsewhere, &[AVRO], "x").await?, 404, "another path")?;
    assert_nothing_produced(&pipeline).await
}

#[tokio::test]
async fn a_body_over_the_limit_is_answered_413_with_or_without_a_length() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "http-limit").await?;
    let limited = pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there");
    limited.limits.max_body = "1KiB".parse().expect("a size");
    let receiver = pipeline.receiver().await?;
    let token = format!("Bearer {}", pipeline.token);
    let authorization = ("authorization", token.as_str());
    let answer = post(&receiver, &[AVRO, authorization], &[0xff; 1_025]).await?;
    assert_problem(&answer, 413, "with a length")?;
    // The chunked body is endless, so any answer means that it was not read to its end.
    let answer = http::endless(&receiver.target(), harness::pipeline::PATH, &[AVRO, authorization]).await?;
    assert_eq!(answer, 413);
    assert_nothing_produced(&pipeline).await
}

#[tokio::test]
async fn without_a_registry_at_the_start_the_answer_is_503() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "http-registry").await?;
    let nobody = harness::ports::free()?;
    pipeline.config.schema_registry.url = format!("http://127.0.0.1:{nobody}");
    let receiver = Service::receiver(pipeline.config.clone()).await?;
    let token = format!("Bearer {}", pipeline.token);
    let answer = post(&receiver, &[AVRO, ("authorization", &token)], &Events::unique().event(0).encode()).await?;
    assert_problem(&answer, 503, "no registry")?;
    assert!(answer.header("retry-after").is_some_and(|value| value.parse::<u32>().is_ok()));
    assert_nothing_produced(&pipeline).await
}

fn with_hmac(pipeline: &Pipeline, timestamp_header: Option<&str>, encoding: HmacEncoding) -> Result<Config> {
    let secrets = pipeline.file("secrets");
    std::fs::write(&secrets, "the old secret of the test\nthe new secret of the test\n")?;
    let auth = Auth::Hmac {
        header: "x-signature".to_owned(),
        algorithm: HmacAlgorithm::Sha256,
        encoding,
        prefix: "sha256=".to_owned(),
        timestamp_prefix: None,
        trusted_headers: Vec::new(),
        timestamp_header: timestamp_header.map(str::to_owned),
        signed: None,
        replay_capacity: 0,
        tolerance: std::time::Duration::from_secs(300),
        secrets: Vec::new(),
        secrets_file: Some(secrets),
    };
    let mut config = pipeline.config.clone();
    config.receiver.sources.insert("cxone".to_owned(), source(&config.kafka.topic, auth));
    Ok(config)
}

fn sign(secret: &str, parts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().to_vec())
}

#[tokio::test]
async fn only_a_body_signed_with_a_known_secret_is_accepted() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "http-hmac").await?;
    let receiver = Service::receiver(with_hmac(&pipeline, None, HmacEncoding::Hex)?).await?;
    ready(&receiver.admin_url()).await?;
    let body = Events::unique().event(0).encode();
    let hex = |secret, body: &[u8]| anyhow::Ok(format!("sha256={}", hex::encode(sign(secret, &[body])?)));
    let refused = [
        hex("another secret", &body)?,
        hex("the new secret of the test", b"another body")?,
        hex("the new secret of the test", &body)?[7..].to_owned(),
        hex("the new secret of the test", &body)?[..60].to_owned(),
        "sha256=".to_owned(),
    ];
    for signature in &refused {
        assert_problem(&post(&receiver, &[AVRO, ("x-signature", signature)], &body).await?, 401, signature)?;
    }
    assert_problem(&post(&receiver, &[AVRO], &body).await?, 401, "no signature")?;
    assert_nothing_produced(&pipeline).await?;
    for secret in ["the old secret of the test", "the new secret of the test"] {
        let answer = post(&receiver, &[AVRO, ("x-signature", &hex(secret, &body)?)], &body).await?;
        assert_eq!(answer.status, 200, "{secret}: {}", answer.text());
    }
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_stale_signature_is_refused() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "http-stale").await?;
    let receiver = Service::receiver(with_hmac(&pipeline, Some("x-timestamp"), HmacEncoding::Base64)?).await?;
    ready(&receiver.admin_url()).await?;
    let body = Events::unique().event(0).encode();
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    for (seconds, status) in [(now - 400, 401), (now + 400, 401), (now, 200)] {
        let time = seconds.to_string();
        let signature = sign("the new secret of the test", &[time.as_bytes(), b".", &body])?;
        let signature = format!("sha256={}", STANDARD.encode(signature));
        let answer = post(&receiver, &[AVRO, ("x-timestamp", &time), ("x-signature", &signature)], &body).await?;
        assert_eq!(answer.status, status, "{} s from now", seconds.abs_diff(now));
    }
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 1);
    Ok(())
}
