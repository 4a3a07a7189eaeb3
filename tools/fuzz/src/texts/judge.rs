//! apache-avro as the judge of schemas: where both read a text, both mean the same schema by it and take the same
//! datum.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::Schema as AvroSchema;
use avro::{Limits, Schema, validate};

/// Longer texts are not given to apache-avro, whose parser takes more than linear time, in bytes.
const LONGEST: usize = 2_048;
/// How deep a text may be nested that is given to apache-avro, which has no limit of its own.
const DEEPEST: usize = 64;
/// The longest datum that is tried, in bytes.
const LONGEST_DATUM: usize = 64;

const LIMITS: Limits = Limits { max_depth: 32, max_items: 1_000, max_values: 16_000 };

/// Compiles the schema, and compares it with what apache-avro makes of it.
///
/// # Errors
/// When the two mean different schemas.
pub(super) fn schema(input: &[u8]) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(input);
    let Ok(ours) = Schema::parse(&text) else { return Ok("refused".to_owned()) };
    let kind = if ours.fullname().is_some() { "record" } else { "other" };
    if text.len() > LONGEST || text.matches(['{', '[']).count() > DEEPEST {
        return Ok(format!("usable-{kind}-alone"));
    }
    let Ok(judge) = AvroSchema::parse_str(&text) else { return Ok(format!("usable-{kind}-ours")) };
    let canonical = judge.canonical_form();
    // apache-avro writes the text of some attributes without escapes: then there is nothing to compare with.
    if serde_json::from_str::<serde_json::Value>(&canonical).is_err() {
        return Ok(format!("usable-{kind}-unescaped"));
    }
    // Its canonical form keeps some attributes that the specification removes; reading it again removes them.
    let again = Schema::parse(&canonical).map_err(|error| anyhow::anyhow!("its canonical form: {error}"))?;
    anyhow::ensure!(ours.fingerprint() == again.fingerprint(), "apache-avro means another schema");
    let datum = [0; LONGEST_DATUM];
    let fits = |len: &usize| validate(&ours, &datum[..*len], LIMITS, None).is_ok();
    // Zeros are a datum of nearly every schema: the first branch, the first symbol, nothing in it. Of one length alone.
    let Some(len) = (0..=LONGEST_DATUM).find(fits) else { return Ok(format!("usable-{kind}-both")) };
    let reader = GenericDatumReader::builder(&judge).build()?;
    let mut rest = &datum[..len];
    match reader.read_value(&mut rest) {
        Ok(_) => anyhow::ensure!(rest.is_empty(), "apache-avro leaves {} of {len} bytes", rest.len()),
        // It wants UUIDs and big-decimals that are some.
        Err(error) => anyhow::ensure!(is_about_logical(&text), "apache-avro refuses {len} zeros: {error}"),
    }
    Ok(format!("usable-{kind}-datum"))
}

fn is_about_logical(text: &str) -> bool {
    text.contains("uuid") || text.contains("decimal") || text.contains("duration")
}
