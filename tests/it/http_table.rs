//! The table of answers: each row's status and problem type. No row leaves a record. `overload.rs` covers the answers
//! to overload and outages.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::event::Events;
use harness::http::{self, HttpAnswer, Method};
use harness::pipeline::{PATH, Pipeline};
use harness::stack::Stack;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const AVRO: (&str, &str) = ("content-type", "application/avro");
const FRAMED: (&str, &str) = ("content-type", "application/vnd.confluent.avro");
const TEXT: (&str, &str) = ("content-type", "text/plain");

/// The request (method, content type and other headers, body), and the expected status and last part of the problem's
/// type.
struct Row<'a> {
    method: Method,
    headers: Vec<(&'a str, &'a str)>,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
}

fn assert_problem(problem: &Value, status: u16, code: &str, what: &str) {
    assert_eq!(problem["type"], format!("urn:penstock:problem:{code}"), "{what}: {problem}");
    assert_eq!(problem["status"], status, "{what}: {problem}");
    for member in ["title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: {problem}");
    }
}

fn assert_head(answer: &HttpAnswer, row: &Row<'_>) {
    assert_eq!(answer.status, row.status, "{}: {}", row.code, answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", row.code);
    match row.status {
        405 => assert_eq!(answer.header("allow"), Some("POST")),
        401 => assert_eq!(answer.header("www-authenticate"), Some("Bearer")),
        _ => {}
    }
}

#[tokio::test]
async fn each_row_has_its_status_and_problem_type_and_leaves_no_record() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "table").await?;
    let source = pipeline.config.receiver.sources.get_mut("cxone").context("no source")?;
    source.limits.max_body = "1KiB".parse().map_err(anyhow::Error::msg)?;
    let receiver = pipeline.receiver().await?;
    let token = format!("Bearer {}", pipeline.token);
    let good = Events::unique().event(0).encode();
    let row = |headers: &[(&'static str, &'static str)], body: &[u8], status, code| {
        let headers = headers.iter().copied().chain([("authorization", token.as_str())]).collect();
        Row { method: Method::POST, headers, body: body.to_vec(), status, code }
    };
    let mut rows = vec![
        row(&[], &good, 415, "unsupported-media-type"),
        row(&[TEXT], &good, 415, "unsupported-media-type"),
        row(&[AVRO, ("content-encoding", "br")], &good, 415, "unsupported-content-encoding"),
        row(&[AVRO], &[0xff; 1_025], 413, "too-large"),
        row(&[AVRO], b"", 400, "empty-body"),
        row(&[AVRO], &good[..good.len() - 1], 400, "invalid-event"),
        row(&[AVRO], &[good.as_slice(), b"\0"].concat(), 400, "invalid-event"),
        row(&[FRAMED], &good, 400, "invalid-frame"),
        row(&[FRAMED], &[b"\0\x7f\xff\xff\xff", good.as_slice()].concat(), 400, "unknown-schema"),
        row(&[AVRO, ("x-schema-id", "x")], &good, 400, "invalid-frame"),
    ];
    for headers in [vec![AVRO], vec![AVRO, ("authorization", "Bearer wrong")]] {
        rows.push(Row { method: Method::POST, headers, body: good.clone(), status: 401, code: "unauthorized" });
    }
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        rows.push(Row { method, headers: vec![AVRO], body: good.clone(), status: 405, code: "method-not-allowed" });
    }
    for row in &rows {
        let answer = http::send(row.method.clone(), &receiver.url(), &row.headers, row.body.clone()).await?;
        assert_head(&answer, row);
        if row.method != Method::HEAD {
            assert_problem(&answer.json()?, row.status, row.code, row.method.as_str());
        }
    }
    let elsewhere = format!("http://{}/webhook/other", receiver.target());
    let answer = http::send(Method::POST, &elsewhere, &[AVRO], good).await?;
    assert_problem(&answer.json()?, 404, "not-found", "another path");
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 0, "a refused event is in Kafka");
    Ok(())
}

#[tokio::test]
async fn a_body_that_does_not_arrive_gets_408_and_the_connection_closes() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "table-timeout").await?;
    pipeline.config.receiver.request_timeout = Duration::from_secs(1);
    let receiver = pipeline.receiver().await?;
    let mut stream = TcpStream::connect(receiver.target()).await?;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/avro\r\nauthorization: Bearer {}\r\n\
         content-length: 100\r\n\r\nhalf",
        pipeline.token
    );
    stream.write_all(head.as_bytes()).await?;
    let mut said = String::new();
    timeout(Duration::from_secs(30), stream.read_to_string(&mut said)).await.context("it hangs")??;
    let (head, body) = said.split_once("\r\n\r\n").context("no answer")?;
    assert!(head.starts_with("HTTP/1.1 408") && head.contains("connection: close"), "{head}");
    assert_problem(&serde_json::from_str(body)?, 408, "body-timeout", "half a body");
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 0);
    Ok(())
}
