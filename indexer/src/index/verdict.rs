//! Predicts whether the mapping of an index accepts a document, without writing it. Elasticsearch simulates indexing;
//! if the server cannot, the document is compared with the mapping.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use super::live_mappings;
use super::requests::{RequestError, Requests};

/// The times that a `date_nanos` field accepts, in milliseconds since the Unix epoch (Elasticsearch reference, "Date
/// nanoseconds").
const NANOS: std::ops::RangeInclusive<f64> = 0.0..=9_223_372_036_854.0;

/// Whether a mapping accepts a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    /// How the verdict was reached: `simulated` by the server, or `compared` with the mapping.
    by: &'static str,
    /// The fields that would be refused, and why.
    refused: Vec<Refusal>,
}

/// Why a field would be refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    /// The field, or `None` if the server names it in its reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    reason: String,
}

impl Verdict {
    /// Returns whether the document would be refused.
    pub(crate) fn is_refusal(&self) -> bool {
        !self.refused.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refused.is_empty() {
            return write!(f, "takes it ({})", self.by);
        }
        let reasons = self.refused.iter().map(|Refusal { field, reason }| match field {
            Some(field) => format!("{field}: {reason}"),
            None => reason.clone(),
        });
        write!(f, "refuses it ({}): {}", self.by, reasons.collect::<Vec<_>>().join("; "))
    }
}

/// Returns whether the mapping of `index` accepts `document`. Writes nothing.
///
/// # Errors
/// If Elasticsearch does not answer, or refuses the question.
pub(crate) async fn predict(
    requests: &Requests,
    index: &str,
    id: &str,
    document: &Value,
) -> Result<Verdict, RequestError> {
    let Some(mapping) = live_mappings::read(requests, index).await? else {
        return Ok(Verdict { by: "compared", refused: Vec::new() });
    };
    match simulate(requests, index, id, document).await {
        Ok(Some(refused)) => Ok(Verdict { by: "simulated", refused }),
        Ok(None) => Ok(Verdict { by: "compared", refused: judge(&mapping, document) }),
        Err(error) => {
            tracing::debug!(%error, "The server cannot simulate; the document is compared with the mapping.");
            Ok(Verdict { by: "compared", refused: judge(&mapping, document) })
        }
    }
}

/// Asks the server to simulate indexing (Elasticsearch reference, "Simulate ingest API"). Returns `None` if the
/// server does not check the mapping.
async fn simulate(
    requests: &Requests,
    index: &str,
    id: &str,
    document: &Value,
) -> Result<Option<Vec<Refusal>>, RequestError> {
    // The mapping cannot accept this probe, so only a server that refuses it has checked the mapping.
    let probe = json!({ "_index": index, "_id": id, "_source": { "_ingested_at": { "no": "date" } } });
    let ours = json!({ "_index": index, "_id": id, "_source": document });
    let answer = requests.ask("/_ingest/_simulate", &json!({ "docs": [probe, ours] })).await?;
    let error = |number: usize| {
        let doc = &answer["docs"][number];
        [&doc["doc"]["error"], &doc["error"]].into_iter().find(|error| error.is_object()).cloned()
    };
    if error(0).is_none() {
        return Ok(None);
    }
    let refusal = error(1).map(|error| {
        let reasons = [&error["reason"], &error["caused_by"]["reason"]];
        let reasons: Vec<&str> = reasons.into_iter().filter_map(Value::as_str).collect();
        Refusal { field: None, reason: reasons.join(": ") }
    });
    Ok(Some(refusal.into_iter().collect()))
}

/// Compares `document` with `mapping`, field by field, and returns the refusals.
fn judge(mapping: &Value, document: &Value) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let is_strict = mapping["dynamic"] == "strict";
    judge_object(&mapping["properties"], document, "", is_strict, &mut refused);
    refused
}

fn judge_object(properties: &Value, object: &Value, path: &str, is_strict: bool, refused: &mut Vec<Refusal>) {
    for (name, value) in object.as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match &properties[name] {
            Value::Null if is_strict => {
                refused.push(Refusal {
                    field: Some(path),
                    reason: "the mapping has no such field, and is strict".to_owned(),
                });
            }
            Value::Null => {}
            field => judge_field(field, value, &path, is_strict, refused),
        }
    }
}

fn judge_field(field: &Value, value: &Value, path: &str, is_strict: bool, refused: &mut Vec<Refusal>) {
    if let Value::Array(items) = value {
        return items.iter().for_each(|item| judge_field(field, item, path, is_strict, refused));
    }
    let field_type = field["type"].as_str().unwrap_or("object");
    if matches!(field_type, "object" | "nested") && value.is_object() {
        let is_strict = field["dynamic"].as_str().map_or(is_strict, |dynamic| dynamic == "strict");
        return judge_object(&field["properties"], value, path, is_strict, refused);
    }
    if !value.is_null() && field["ignore_malformed"] != true && !takes(field_type, value) {
        let reason = format!("the field is of the type {field_type}, which does not take {value}");
        refused.push(Refusal { field: Some(path.to_owned()), reason });
    }
}

/// Returns whether a field of `field_type` accepts `value`, which is neither null nor an array. Unknown types accept
/// anything.
fn takes(field_type: &str, value: &Value) -> bool {
    let number = || value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    let within = |bits: u32| number().is_some_and(|number| number.abs() < 2f64.powi(bits as i32) + 1.0);
    match field_type {
        "object" | "nested" | "flattened" => value.is_object(),
        "keyword" | "text" | "wildcard" | "constant_keyword" | "match_only_text" => !value.is_object(),
        "byte" => within(7),
        "short" => within(15),
        "integer" => within(31),
        "long" => within(63),
        "double" | "float" | "half_float" | "scaled_float" | "unsigned_long" => number().is_some(),
        "boolean" => value.is_boolean() || matches!(value.as_str(), Some("true" | "false" | "")),
        "date" => !value.is_object() && !value.is_boolean(),
        "date_nanos" => value.as_f64().map_or(value.is_string(), |millis| NANOS.contains(&millis)),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
