//! Two hundred schemas with unusual but legal features, and what fastavro reads with them: `tests/data/avro/corpus`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

const CORPUS: &str = include_str!("../../../../tests/data/avro/corpus/schemas.jsonl");

#[derive(Deserialize)]
struct Line {
    schema: String,
    datum: String,
    document: Value,
}

/// Returns whether `ours` equals what fastavro reads. Its decimals are stored as `{"decimal": …}`, and its times, with
/// all six digits, as `{"moment": …}`.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::String(ours), Value::Object(theirs)) => match (theirs.get("decimal"), theirs.get("moment")) {
            (Some(decimal), _) => decimal == ours,
            (_, Some(moment)) => moment.as_str().map(short) == Some(short(ours)),
            (None, None) => false,
        },
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(name, value)| theirs.get(name).is_some_and(|theirs| same(value, theirs)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) if ours.is_f64() || theirs.is_f64() => {
            ours.as_f64() == theirs.as_f64()
        }
        _ => ours == theirs,
    }
}

/// Returns a time without trailing zeros in its fraction.
fn short(moment: &str) -> String {
    let (moment, zone) = moment.strip_suffix('Z').map_or((moment, ""), |moment| (moment, "Z"));
    let moment = if moment.contains('.') { moment.trim_end_matches('0').trim_end_matches('.') } else { moment };
    format!("{moment}{zone}")
}

#[test]
fn values_equal_those_that_fastavro_reads() {
    let mut count = 0;
    for line in CORPUS.lines() {
        let Line { schema, datum, document } = serde_json::from_str(line).unwrap();
        let compiled = Schema::parse(&schema).unwrap_or_else(|error| panic!("{error}: {schema}"));
        let datum = hex::decode(datum).unwrap();
        let members = written(&compiled, &datum, LIMITS).unwrap_or_else(|error| panic!("{error}: {schema}"));
        let ours: Value = serde_json::from_str(&format!("{{{members}}}")).unwrap();
        // A datum that is not a record is one member; null in place of a record has no members.
        let is_same = same(&ours, &document)
            || ours.get("value").is_some_and(|value| same(value, &document))
            || document.is_null() && ours == json!({});
        assert!(is_same, "{ours}, not {document}, by {schema}");
        // If apache-avro can parse the schema too, it computes the same fingerprint.
        if let Ok(avro) = apache_avro::Schema::parse_str(&schema) {
            let theirs = Schema::parse(&avro.canonical_form()).map(|schema| schema.fingerprint());
            assert!(theirs.is_err() || theirs.is_ok_and(|theirs| theirs == compiled.fingerprint()), "{schema}");
        }
        count += 1;
    }
    assert_eq!(count, 200);
}
