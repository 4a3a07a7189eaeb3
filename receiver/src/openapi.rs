//! The description of the webhooks (`OpenAPI` 3.1), built from the config's sources and served at `/openapi.json`.
//!
//! It reveals nothing internal: no topic, no subject, no address. The examples are curl commands that work unchanged
//! once their variables are set. A test runs each of them.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde_json::{Map, Value, json};

use crate::config::{Auth, Config, Source};
use crate::reject::table::{About, Again, ROWS, Row};

mod curl;

/// The path of the description.
pub(crate) const PATH: &str = "/openapi.json";

/// Media types of a body; see [`crate::stages::unframe`].
const MEDIA_TYPES: [(&str, &str); 6] = [
    ("application/avro", "One Avro datum without a frame."),
    ("avro/binary", "The same."),
    ("application/vnd.apache.avro+binary", "The same."),
    ("application/vnd.confluent.avro", "In the Confluent wire format: a zero byte, a 4-byte schema id, the datum."),
    ("application/vnd.apache.avro+single-object", "In Avro's single-object encoding."),
    ("application/vnd.apache.avro+container", "An Avro object container file: many events in one request."),
];

/// Returns a router that serves the description of the sources of `config`.
pub(crate) fn router(config: &Config) -> Router {
    let text = Bytes::from(document(config).to_string());
    Router::new().route(PATH, get(move || std::future::ready(([(CONTENT_TYPE, "application/json")], text.clone()))))
}

/// Builds the description.
fn document(config: &Config) -> Value {
    let sources = &config.receiver.sources;
    let scheme = if config.receiver.tls.is_some() { "https" } else { "http" };
    let paths: Map<String, Value> =
        sources.iter().map(|(name, source)| (source.path.clone(), json!({"post": operation(name, source)}))).collect();
    let security: Map<String, Value> = sources.iter().flat_map(|(name, source)| schemes(name, &source.auth)).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Webhooks",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Events are in Apache Avro. A 200 means that all events of the request are stored. Repeat \
             each request that was not answered 200: an event with an id is indexed once, however often it is sent.",
        },
        // The listen address is internal: senders know the server by another name.
        "servers": [{
            "url": format!("{scheme}://{{host}}"),
            "variables": {"host": {"default": "localhost", "description": "The host and port that senders know."}},
        }],
        "paths": paths,
        "components": {
            "securitySchemes": security,
            "schemas": {"Accepted": accepted(), "Problem": problem()},
            "headers": {"RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
        },
    })
}

fn operation(name: &str, source: &Source) -> Value {
    let further = source.content_types.iter().map(|media_type| (media_type.as_str(), "Any of these forms."));
    let content: Map<String, Value> = MEDIA_TYPES
        .into_iter()
        .chain(further)
        .map(|(media_type, what)| (media_type.to_owned(), json!({"schema": {"description": what}})))
        .collect();
    let required: Map<String, Value> = schemes(name, &source.auth).map(|(scheme, _)| (scheme, json!([]))).collect();
    json!({
        "operationId": format!("post-{name}"),
        "summary": format!("Events of the source {name}"),
        "description": format!("The size limit of a body is {}.", source.limits.max_body),
        "security": if required.is_empty() { json!([]) } else { json!([required]) },
        "parameters": parameters(),
        "requestBody": {"required": true, "content": content},
        "responses": responses(),
        "x-codeSamples": [{"lang": "Shell", "label": "curl", "source": curl::example(source)}],
    })
}

fn parameters() -> Value {
    let header = |name: &str, schema: Value, description: &str| json!({"name": name, "in": "header", "required": false, "schema": schema, "description": description});
    let id = json!({"type": "integer", "minimum": 0, "maximum": u32::MAX});
    json!([
        header(
            "X-Schema-Id",
            id.clone(),
            "The id of the schema of a datum without a frame. Default: the current schema."
        ),
        header("X-Schema-Version", id, "The version of that schema, instead of its id."),
        header("Content-Encoding", json!({"enum": ["gzip", "zstd", "deflate"]}), "How the body is compressed."),
        header(
            "X-Request-Id",
            json!({"type": "string", "maxLength": 128}),
            "Is returned in the answer and kept with the event."
        ),
        header("traceparent", json!({"type": "string"}), "The trace context (W3C). It is kept with the event."),
    ])
}

fn responses() -> Value {
    let accepted = json!({
        "description": "The events are stored.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
    });
    let mut responses = Map::from_iter([("200".to_owned(), accepted)]);
    let mut problems: BTreeMap<u16, Vec<&Row>> = BTreeMap::new();
    for row in ROWS.iter().filter(|row| row.status != StatusCode::NOT_FOUND) {
        problems.entry(row.status.as_u16()).or_default().push(row);
    }
    for (status, rows) in problems {
        let mut response = json!({
            "description": description(&rows),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        });
        if rows.iter().any(|row| row.again != Again::Never) {
            response["headers"] = json!({"Retry-After": {"$ref": "#/components/headers/RetryAfter"}});
        }
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}

/// Returns the meanings of the answers with one status, and whether to send the request again.
fn description(rows: &[&Row]) -> String {
    let mut meanings: Vec<String> = rows.iter().map(|row| format!("`{}`: {}.", row.code, row.title)).collect();
    meanings.dedup();
    let again = if rows.iter().any(|row| row.again != Again::Never) {
        " The event was not stored, or it is not known whether it was. Send it again after the time in Retry-After."
    } else if rows.iter().any(|row| row.about == About::Event) {
        " Do not send it again."
    } else {
        ""
    };
    format!("{}{again}", meanings.join(" "))
}

fn accepted() -> Value {
    json!({
        "type": "object",
        "required": ["accepted"],
        "properties": {"accepted": {"type": "integer", "minimum": 0, "description": "How many events are stored."}},
    })
}

/// Problem details, RFC 9457.
fn problem() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text, "title": text, "status": {"type": "integer"}, "detail": text,
            "code": {"type": "string", "description": "What is wrong, for programs."},
            "reason": {"type": "string", "description": "What is wrong in the datum."},
            "schema_id": {"type": "integer", "description": "The schema that the datum was read by."},
            "field": {"type": "string", "description": "Where in the datum, by field."},
            "offset": {"type": "integer", "description": "Where in the datum, by byte."},
        },
    })
}

/// Returns the security schemes of a source by their names in the description. A request needs all of them.
fn schemes(name: &str, auth: &Auth) -> impl Iterator<Item = (String, Value)> {
    let header = |header: &str, what: &str| {
        (header.to_owned(), json!({"type": "apiKey", "in": "header", "name": header, "description": what}))
    };
    let schemes: Vec<(String, Value)> = match auth {
        Auth::None => Vec::new(),
        Auth::Bearer { .. } => vec![("bearer".to_owned(), json!({"type": "http", "scheme": "bearer"}))],
        Auth::Basic { .. } => vec![("basic".to_owned(), json!({"type": "http", "scheme": "basic"}))],
        Auth::Hmac { header: name, timestamp_header, .. } => {
            let signature = header(name, "The signature: a keyed hash (HMAC) of the body.");
            let time = timestamp_header.iter().map(|name| header(name, "The time, in seconds since 1970."));
            std::iter::once(signature).chain(time).collect()
        }
        Auth::StandardWebhooks { .. } => vec![
            header("webhook-id", "The id of the message."),
            header("webhook-timestamp", "The time, in seconds since 1970."),
            header("webhook-signature", "The signatures, as Standard Webhooks has them."),
        ],
        Auth::Mtls { .. } => vec![("certificate".to_owned(), json!({"type": "mutualTLS"}))],
    };
    let name = name.to_owned();
    schemes.into_iter().map(move |(scheme, value)| (format!("{name}-{scheme}"), value))
}

#[cfg(test)]
mod tests;
