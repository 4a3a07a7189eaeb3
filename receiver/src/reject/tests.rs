use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use registry::wire::FrameError;

use super::table::{ROWS, codes};
use super::*;
use crate::stages::decompress::Format;

/// The rejection, the status, the code, and the additional headers.
type Row = (Rejection, u16, &'static str, &'static [(&'static str, &'static str)]);

fn rows() -> Vec<Row> {
    let frame = UnframeError::Frame(FrameError::TooShort { len: 1 });
    vec![
        (Rejection::NotFound, 404, "not-found", &[]),
        (Rejection::MethodNotAllowed, 405, "method-not-allowed", &[("allow", "POST")]),
        (unauthorized(), 401, "unauthorized", &[("www-authenticate", "Bearer")]),
        (Rejection::TooLarge(5), 413, "too-large", &[]),
        (Rejection::RecordTooLarge, 413, "record-too-large", &[]),
        (Rejection::BodyTimeout, 408, "body-timeout", &[("connection", "close"), ("retry-after", "1")]),
        (Rejection::BodyBroken, 400, "body-broken", &[]),
        (Rejection::Unframe(UnframeError::ContentType), 415, "unsupported-media-type", &[]),
        (
            Rejection::ContentEncoding,
            415,
            "unsupported-content-encoding",
            &[("accept-encoding", "gzip, zstd, deflate")],
        ),
        (Rejection::Decompress(DecompressError::TooLarge(9)), 413, "too-large", &[]),
        (BudgetExceeded::Never(9).into(), 413, "too-large", &[]),
        (DecompressError::from(BudgetExceeded::Never(9)).into(), 413, "too-large", &[]),
        (BatchError::from(BudgetExceeded::Never(9)).into(), 413, "too-large", &[]),
        (BudgetExceeded::ForAll.into(), 503, "overloaded", &[("retry-after", "1")]),
        (DecompressError::from(BudgetExceeded::ForAll).into(), 503, "overloaded", &[("retry-after", "1")]),
        (BatchError::from(BudgetExceeded::ForAll).into(), 503, "overloaded", &[("retry-after", "1")]),
        (Rejection::Decompress(DecompressError::Broken(Format::Zstd)), 400, "invalid-content-encoding", &[]),
        (Rejection::Container(BatchError::TooManyEvents(9)), 413, "too-many-events", &[]),
        (Rejection::Container(BatchError::TooLarge(9)), 413, "too-large", &[]),
        (Rejection::Container(BatchError::Codec("lzo".to_owned())), 400, "invalid-container", &[]),
        (Rejection::Container(BatchError::BlockLength(9)), 400, "invalid-container", &[]),
        (Rejection::Unframe(UnframeError::Empty), 400, "empty-body", &[]),
        (Rejection::Unframe(UnframeError::SchemaIdHeader), 400, "invalid-frame", &[]),
        (Rejection::Unframe(frame), 400, "invalid-frame", &[]),
        (Rejection::Unframe(UnframeError::SchemaHeaders), 400, "invalid-frame", &[]),
        (Rejection::Ambiguous(Framing::Container), 400, "ambiguous-frame", &[]),
        (Rejection::AmbiguousVersion(vec![SchemaId(1), SchemaId(2)]), 400, "ambiguous-version", &[]),
        (Rejection::SchemaPending(SchemaName::Id(SchemaId(1))), 503, "schema-pending", &[("retry-after", "1")]),
        (Rejection::UnknownSchema(SchemaName::Id(SchemaId(1))), 400, "unknown-schema", &[]),
        (Rejection::UnknownSchema(SchemaName::Fingerprint(1)), 400, "unknown-schema", &[]),
        (Rejection::UnusableSchema(SchemaName::File, "no"), 400, "unusable-schema", &[]),
        (Rejection::SchemaUnavailable, 503, "schema-unavailable", &[("retry-after", "5")]),
        (Rejection::Overloaded, 503, "overloaded", &[("retry-after", "1")]),
        (Rejection::InFlight, 503, "in-flight", &[("retry-after", "1")]),
        (Rejection::Unframe(UnframeError::Unsigned("X-Schema-Id")), 400, "unsigned-header", &[]),
        (Rejection::QueueFull, 503, "queue-full", &[("retry-after", "1")]),
        (Rejection::RecordRefused, 422, "record-refused", &[]),
        (Rejection::KafkaRefuses, 503, "kafka-refuses", &[("retry-after", "5")]),
        (Rejection::KafkaUnavailable, 503, "kafka-unavailable", &[("retry-after", "5")]),
        (Rejection::Internal, 500, "internal", &[]),
    ]
}

fn unauthorized() -> Rejection {
    Rejection::Unauthorized(HeaderValue::from_static("Bearer"))
}

#[test]
fn the_outcomes_of_the_metric_are_the_codes_of_the_rows() {
    for (rejection, ..) in rows().iter().filter(|row| !matches!(row.0, Rejection::NotFound)) {
        assert!(codes().any(|code| code == rejection.code()), "{}", rejection.code());
    }
    let used: std::collections::BTreeSet<_> = rows().iter().map(|row| row.0.code()).collect();
    // The rows above have no example of these two.
    let unused: Vec<_> = codes().filter(|code| !used.contains(code)).collect();
    assert_eq!(unused, ["rate-limited", "invalid-event"]);
}

#[test]
fn the_documentation_has_each_row() {
    let documented = include_str!("../../../docs/http.md");
    for row in ROWS {
        let (status, code) = (format!("| {} |", row.status.as_u16()), format!("`{}`", row.code));
        let line = documented.lines().find(|line| line.starts_with(&status) && line.contains(&code));
        let line = line.unwrap_or_else(|| panic!("docs/http.md has no {status} {code}"));
        let retry = line.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default().trim();
        match row.again {
            // A change of the request may help.
            Again::Never => assert!(
                retry == "no"
                    || retry.starts_with("with")
                    || retry.starts_with("in several")
                    || retry.starts_with("after it is registered"),
                "{line}"
            ),
            Again::Soon | Again::Later | Again::Said => assert_eq!(retry, "after `Retry-After`", "{line}"),
        }
    }
}

async fn answer(rejection: Rejection) -> (StatusCode, HeaderMap, serde_json::Value) {
    let (head, body) = rejection.into_response().into_parts();
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    (head.status, head.headers, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn each_rejection_is_answered_with_the_problem_of_its_row() {
    for (rejection, status, code, headers) in rows() {
        let (answered, answered_headers, problem) = answer(rejection).await;
        assert_eq!(answered.as_u16(), status, "{code}");
        assert_eq!(answered_headers["content-type"], "application/problem+json");
        assert_eq!(answered_headers.len(), 1 + headers.len(), "{code}: {answered_headers:?}");
        for (name, value) in headers {
            assert_eq!(answered_headers[*name], *value, "{code}");
        }
        assert_eq!(problem["type"], format!("urn:penstock:problem:{code}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["code"], code);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
    }
}

#[tokio::test]
async fn an_invalid_datum_is_answered_with_its_field_and_byte() {
    let schema = avro::Schema::parse(r#"{"type":"record","name":"E","fields":[{"name":"a","type":"string"}]}"#);
    let writer =
        crate::message::Writer { id: SchemaId(7), schema: schema.unwrap().into(), key: None, uuids: avro::Uuids::Any };
    let limits = avro::Limits { max_depth: 8, max_items: 8, max_values: 128 };
    let cut = [registry::wire::frame(SchemaId(7)).as_slice(), b"\x06ab"].concat();
    let invalid = crate::stages::validate::validate(&cut, &writer, limits).unwrap_err();
    let offset = invalid.error.offset;

    let rejection = Rejection::Invalid { as_likely: Box::new(invalid), as_framed: None };
    let (status, _, problem) = answer(rejection).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["code"], "invalid-event");
    assert_eq!(problem["reason"], "truncated");
    assert_eq!(problem["field"], "a");
    assert_eq!(problem["offset"], offset);
    assert_eq!(problem["schema_id"], 7);
}

#[test]
fn answers_to_senders_reveal_nothing_internal() {
    for (rejection, _, code, _) in rows() {
        let detail = detail(&rejection);
        assert!(!["http://", "127.0.0.1", "topic", "subject"].iter().any(|inside| detail.contains(inside)), "{code}");
    }
}

#[test]
fn a_flood_of_rejections_logs_few_lines() {
    let budget = service::budget::LogBudget::default();
    let now = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let lines = (0..1_000).filter(|_| budget.take(now).is_some()).count();
    assert_eq!(lines, 10);
    assert_eq!(budget.take(now + Duration::from_secs(1)), Some(990), "the next line says how many there were");
}
