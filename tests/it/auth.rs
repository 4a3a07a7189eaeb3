//! Authentication: the types that `http.rs` does not cover, the rotation of secrets, and replayed signatures.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, HttpAnswer, Method};
use harness::pipeline::{Pipeline, Service, ready, source};
use harness::stack::Stack;
use hmac::{Hmac, KeyInit, Mac};
use receiver::config::{Auth, HmacAlgorithm, HmacEncoding};
use service::secret::Secret;
use sha2::Sha256;

const AVRO: (&str, &str) = ("content-type", "application/avro");

async fn post(receiver: &Service, headers: &[(&str, &str)], body: &[u8]) -> Result<HttpAnswer> {
    let headers: Vec<_> = std::iter::once(AVRO).chain(headers.iter().copied()).collect();
    http::send(Method::POST, &receiver.url(), &headers, body.to_vec()).await
}

/// Starts a receiver whose source has this `auth`.
async fn receiver(pipeline: &Pipeline, auth: Auth) -> Result<Service> {
    let mut config = pipeline.config.clone();
    config.receiver.sources.insert("cxone".to_owned(), source(&config.kafka.topic, auth));
    let receiver = Service::receiver(config).await?;
    ready(&receiver.admin_url()).await?;
    Ok(receiver)
}

async fn produced(pipeline: &Pipeline) -> Result<u64> {
    pipeline.kafka.count(&pipeline.config.kafka.topic).await
}

fn signature(key: &[u8], parts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().to_vec())
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

fn assert_unauthorized(answer: &HttpAnswer, challenge: &str, what: &str) -> Result<()> {
    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(answer.header("www-authenticate"), Some(challenge), "{what}");
    assert_eq!(answer.json()?["type"], "urn:penstock:problem:unauthorized", "{what}");
    assert_eq!(answer.json()?["detail"], "the credentials are missing or not valid", "{what}");
    Ok(())
}

#[tokio::test]
async fn only_a_user_with_the_right_password_is_accepted() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "auth-basic").await?;
    let users = vec![Secret::new("old:0123456789abcdef"), Secret::new("new:fedcba9876543210")];
    let receiver = receiver(&pipeline, Auth::Basic { credentials: users, credentials_file: None }).await?;
    let body = Events::unique().event(0).encode();
    let header = |user: &str| format!("Basic {}", STANDARD.encode(user));
    for wrong in [header("old:fedcba9876543210"), header("new:"), "Basic".to_owned(), header("")] {
        assert_unauthorized(
            &post(&receiver, &[("authorization", &wrong)], &body).await?,
            "Basic realm=\"webhook\"",
            &wrong,
        )?;
    }
    assert_eq!(produced(&pipeline).await?, 0);
    for right in ["old:0123456789abcdef", "new:fedcba9876543210"] {
        assert_eq!(post(&receiver, &[("authorization", &header(right))], &body).await?.status, 200, "{right}");
    }
    assert_eq!(produced(&pipeline).await?, 2);
    Ok(())
}

#[tokio::test]
async fn each_standard_webhook_is_accepted_once() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "auth-webhooks").await?;
    let key = b"a key of twenty-four by.";
    let auth = Auth::StandardWebhooks {
        trusted_headers: Vec::new(),
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: vec![Secret::new(format!("whsec_{}", STANDARD.encode(key)))],
        secrets_file: None,
    };
    let receiver = receiver(&pipeline, auth).await?;
    let body = Events::unique().event(0).encode();
    let send = async |id: &str, seconds: u64, key: &[u8], body: &[u8]| {
        let time = seconds.to_string();
        let signed = signature(key, &[id.as_bytes(), b".", time.as_bytes(), b".", body])?;
        let signature = format!("v1,{} v1,{}", STANDARD.encode([0; 32]), STANDARD.encode(signed));
        post(&receiver, &[("webhook-id", id), ("webhook-timestamp", &time), ("webhook-signature", &signature)], body)
            .await
    };
    let now = now()?;
    for (what, time, key) in
        [("another key", now, b"another key".as_slice()), ("old", now - 400, key), ("of the future", now + 400, key)]
    {
        assert_unauthorized(&send("msg_1", time, key, &body).await?, "StandardWebhooks", what)?;
    }
    assert_unauthorized(&post(&receiver, &[], &body).await?, "StandardWebhooks", "nothing")?;
    assert_eq!(produced(&pipeline).await?, 0);
    assert_eq!(send("msg_1", now, key, &body).await?.status, 200);
    assert_unauthorized(&send("msg_1", now, key, &body).await?, "StandardWebhooks", "a replay")?;
    // A sender that missed the answer tries again with another timestamp.
    assert_eq!(send("msg_1", now + 1, key, &body).await?.status, 200);
    assert_eq!(produced(&pipeline).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_signature_counts_as_used_only_after_it_was_accepted() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "auth-replay").await?;
    let auth = Auth::Hmac {
        header: "x-signature".to_owned(),
        algorithm: HmacAlgorithm::Sha256,
        encoding: HmacEncoding::Hex,
        prefix: String::new(),
        timestamp_prefix: None,
        trusted_headers: Vec::new(),
        timestamp_header: Some("x-timestamp".to_owned()),
        signed: Some("v0:{timestamp}:{body}".to_owned()),
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: vec![Secret::new("0123456789abcdef")],
        secrets_file: None,
    };
    let receiver = receiver(&pipeline, auth).await?;
    let (time, good) = (now()?.to_string(), Events::unique().event(0).encode());
    let send = async |body: &[u8]| {
        let signature = hex::encode(signature(b"0123456789abcdef", &[b"v0:", time.as_bytes(), b":", body])?);
        post(&receiver, &[("x-signature", &signature), ("x-timestamp", &time)], body).await
    };
    // A refused signature may be sent again, as a sender does after a 503.
    for _ in 0..2 {
        assert_eq!(send(b"\xff").await?.status, 400);
    }
    assert_eq!(send(&good).await?.status, 200);
    for _ in 0..2 {
        assert_unauthorized(&send(&good).await?, "HMAC", "a replay")?;
    }
    assert_eq!(produced(&pipeline).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_new_token_in_the_file_is_accepted_without_a_restart() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "auth-rotation").await?;
    let file = pipeline.file("rotating");
    std::fs::write(&file, "old-0123456789abcdef\n")?;
    let receiver = receiver(&pipeline, Auth::Bearer { tokens: Vec::new(), tokens_file: Some(file.clone()) }).await?;
    let body = Events::unique().event(0).encode();
    let status = async |token: &str| {
        let answer = post(&receiver, &[("authorization", &format!("Bearer {token}"))], &body).await?;
        anyhow::Ok(answer.status.as_u16())
    };
    let becomes = async |token: &str, wanted: u16| {
        eventually(&format!("{token} is answered {wanted}"), async || {
            let status = status(token).await?;
            anyhow::ensure!(status == wanted, "it is answered {status}");
            Ok(())
        })
        .await
    };
    assert_eq!((status("old-0123456789abcdef").await?, status("new-0123456789abcdef").await?), (200, 401));
    std::fs::write(&file, "old-0123456789abcdef\nnew-0123456789abcdef\n")?;
    becomes("new-0123456789abcdef", 200).await?;
    assert_eq!(status("old-0123456789abcdef").await?, 200);
    // An unusable file changes nothing.
    std::fs::write(&file, "")?;
    std::fs::write(&file, "new-0123456789abcdef\n")?;
    becomes("old-0123456789abcdef", 401).await?;
    assert_eq!(status("new-0123456789abcdef").await?, 200);
    Ok(())
}
