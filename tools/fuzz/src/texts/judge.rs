//! Compares schemas with apache-avro: if both accept a text, both must see the same schema in it and accept the same
//! datum.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::Schema as AvroSchema;
use avro::{Limits, Schema, validate};
use serde_json::Value;

/// The longest text for apache-avro, in bytes: its parser takes more than linear time.
const LONGEST: usize = 2_048;
/// The deepest nesting for apache-avro, which has no limit of its own.
const DEEPEST: usize = 64;
/// The longest datum to try, in bytes.
const LONGEST_DATUM: usize = 64;

const LIMITS: Limits = Limits { max_depth: 32, max_items: 1_000, max_values: 16_000 };

/// Compiles the schema, and compares it with apache-avro's result.
///
/// # Errors
/// If the two see different schemas.
pub(super) fn schema(input: &[u8]) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(input);
    let Ok(ours) = Schema::parse(&text) else { return Ok("refused".to_owned()) };
    let kind = if ours.fullname().is_some() { "record" } else { "other" };
    if text.len() > LONGEST || text.matches(['{', '[']).count() > DEEPEST {
        return Ok(format!("usable-{kind}-alone"));
    }
    let Ok(judge) = AvroSchema::parse_str(&text) else { return Ok(format!("usable-{kind}-ours")) };
    if !has_canonical_form(&serde_json::to_value(&judge)?) {
        return Ok(format!("usable-{kind}-attributes"));
    }
    let canonical = judge.canonical_form();
    // apache-avro writes the text of some attributes without escapes, so there is nothing to compare with.
    if serde_json::from_str::<Value>(&canonical).is_err() {
        return Ok(format!("usable-{kind}-unescaped"));
    }
    // Its canonical form keeps some attributes that the specification removes; compiling it again removes them.
    let again = Schema::parse(&canonical).map_err(|error| anyhow::anyhow!("its canonical form: {error}"))?;
    anyhow::ensure!(ours.fingerprint() == again.fingerprint(), "apache-avro means another schema");
    let datum = [0; LONGEST_DATUM];
    let fits = |len: &usize| validate(&ours, &datum[..*len], LIMITS, None).is_ok();
    // Zeros are a datum of nearly every schema: the first branch, the first symbol, empty lists. Only one length fits.
    let Some(len) = (0..=LONGEST_DATUM).find(fits) else { return Ok(format!("usable-{kind}-both")) };
    let reader = GenericDatumReader::builder(&judge).build()?;
    let mut rest = &datum[..len];
    match reader.read_value(&mut rest) {
        Ok(_) => anyhow::ensure!(rest.is_empty(), "apache-avro leaves {} of {len} bytes", rest.len()),
        // It accepts only valid UUIDs and big-decimals.
        Err(error) => anyhow::ensure!(is_about_logical(&text), "apache-avro refuses {len} zeros: {error}"),
    }
    Ok(format!("usable-{kind}-datum"))
}

/// Returns whether apache-avro can write the canonical form of `schema`. It panics at a number, a boolean or null in an
/// attribute that has the name of a part, such as `"items"` in a record.
fn has_canonical_form(schema: &Value) -> bool {
    match schema {
        Value::String(_) => true,
        Value::Array(all) => all.iter().all(has_canonical_form),
        Value::Object(parts) => parts.iter().all(|(name, part)| match name.as_str() {
            "size" | "precision" | "scale" => part.as_i64().is_some(),
            "name" | "type" | "fields" | "symbols" | "items" | "values" | "order" => has_canonical_form(part),
            _ => true,
        }),
        _ => false,
    }
}

fn is_about_logical(text: &str) -> bool {
    text.contains("uuid") || text.contains("decimal") || text.contains("duration")
}
