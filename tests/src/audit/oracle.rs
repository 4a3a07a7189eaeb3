//! Predicts the document of a datum: decoded by apache-avro, written by the table of `docs/document-rules.md`.

use std::collections::HashMap;

use anyhow::Context;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::{DecimalSchema, ResolvedSchema, Schema};
use apache_avro::types::Value as Avro;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::document_rules::{date_text, decimal, time_of_day, timestamp};

/// Names that no field of a document may have ("Names" in `docs/document-rules.md`).
const RESERVED: [&str; 7] = ["_id", "_index", "_source", "_routing", "_version", "_ingested_at", "_event_type"];

/// The field with the event's own timestamp.
const TIME: &str = "timestamp";

/// Holds the writer schemas of the data, by their ids in the registry.
#[derive(Debug, Default)]
pub struct Oracle {
    schemas: HashMap<u32, Schema>,
}

impl Oracle {
    /// Adds the schema with this `id` in the registry.
    ///
    /// # Errors
    /// If apache-avro does not accept it.
    pub fn add(&mut self, id: u32, text: &str) -> anyhow::Result<()> {
        self.schemas.insert(id, Schema::parse_str(text)?);
        Ok(())
    }

    /// Returns the event's own timestamp, in milliseconds since the Unix epoch, or `None` if it has none.
    pub(super) fn time(&self, id: u32, datum: &[u8]) -> Option<i64> {
        let reader = GenericDatumReader::builder(self.schemas.get(&id)?).build().ok()?;
        let mut rest = datum;
        let Avro::Record(fields) = reader.read_value(&mut rest).ok()? else { return None };
        fields.into_iter().find_map(|(name, value)| match value {
            Avro::TimestampMillis(time) if name == TIME => Some(time),
            _ => None,
        })
    }

    /// Returns the document of `datum`, without `_ingested_at`.
    ///
    /// # Errors
    /// If the datum does not match the schema `id`, or contains a value for which the oracle has no rule.
    pub fn document(&self, id: u32, datum: &[u8]) -> anyhow::Result<Map<String, Value>> {
        let schema = self.schemas.get(&id).with_context(|| format!("no schema {id}"))?;
        let mut rest = datum;
        let value = GenericDatumReader::builder(schema).build()?.read_value(&mut rest)?;
        anyhow::ensure!(rest.is_empty(), "{} bytes are left over", rest.len());
        let names = ResolvedSchema::new(schema)?;
        match json(&value, schema, &names)? {
            Value::Object(document) => Ok(document),
            other => anyhow::bail!("the root is not a record: {other}"),
        }
    }
}

/// Returns whether two values are equal. Numbers with a fraction may differ in their last digits, since a float may
/// have two shortest texts.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => same_members(left, right),
        (Value::Number(left), Value::Number(right)) if left.is_f64() || right.is_f64() => {
            let (left, right) = (left.as_f64().unwrap_or(f64::NAN), right.as_f64().unwrap_or(f64::NAN));
            (left - right).abs() <= left.abs() * 1e-7
        }
        _ => left == right,
    }
}

/// Returns whether the members of two documents are equal, as [`same`] does for values.
pub(super) fn same_members(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    let found = |(key, left)| right.get(key).is_some_and(|right| same(left, right));
    left.len() == right.len() && left.iter().all(found)
}

fn json(value: &Avro, schema: &Schema, names: &ResolvedSchema<'_>) -> anyhow::Result<Value> {
    Ok(match (value, schema) {
        (_, Schema::Ref { name }) => {
            let named = names.get_names().get(name).with_context(|| format!("no schema {name:?}"))?;
            json(value, named, names)?
        }
        (Avro::Union(index, value), Schema::Union(union)) => {
            json(value, &union.variants()[usize::try_from(*index)?], names)?
        }
        (Avro::Array(items), Schema::Array(array)) => {
            Value::Array(items.iter().map(|item| json(item, &array.items, names)).collect::<Result<_, _>>()?)
        }
        (Avro::Map(entries), Schema::Map(map)) => {
            let entries = entries.iter().map(|(key, value)| anyhow::Ok((key.clone(), json(value, &map.types, names)?)));
            Value::Object(entries.collect::<anyhow::Result<_>>()?)
        }
        (Avro::Record(values), Schema::Record(record)) => {
            let members = values
                .iter()
                .zip(&record.fields)
                .map(|((name, value), field)| anyhow::Ok((name_in(name, values), json(value, &field.schema, names)?)));
            Value::Object(members.collect::<anyhow::Result<_>>()?)
        }
        (Avro::Decimal(value), Schema::Decimal(DecimalSchema { scale, .. })) => {
            json!(decimal(unscaled(&Vec::<u8>::try_from(value)?)?, *scale))
        }
        _ => scalar(value)?,
    })
}

fn scalar(value: &Avro) -> anyhow::Result<Value> {
    Ok(match value {
        Avro::Null => Value::Null,
        Avro::Boolean(value) => json!(value),
        Avro::Int(value) => json!(value),
        Avro::Long(value) => json!(value),
        // Conversion through text, since 0.1_f32 is not 0.1_f64.
        Avro::Float(value) if value.is_finite() => json!(value.to_string().parse::<f64>()?),
        Avro::Double(value) if value.is_finite() => json!(value),
        Avro::Float(_) | Avro::Double(_) => Value::Null,
        Avro::Bytes(bytes) | Avro::Fixed(_, bytes) => json!(STANDARD.encode(bytes)),
        Avro::String(text) | Avro::Enum(_, text) => json!(text),
        Avro::Uuid(uuid) => json!(uuid.hyphenated().to_string()),
        Avro::BigDecimal(value) => {
            let (digits, scale) = value.as_bigint_and_exponent();
            json!(decimal(digits.to_string().parse()?, usize::try_from(scale)?))
        }
        Avro::Duration(value) => {
            let (months, days, millis): (u32, u32, u32) =
                (value.months().into(), value.days().into(), value.millis().into());
            json!({ "months": months, "days": days, "milliseconds": millis })
        }
        _ => time(value)?,
    })
}

fn time(value: &Avro) -> anyhow::Result<Value> {
    Ok(match value {
        Avro::Date(days) => {
            let text = date_text(i64::from(*days) * 86_400);
            text.map_or_else(|| json!(i64::from(*days) * 86_400_000), |text| json!(text))
        }
        Avro::TimeMillis(value) => time_of_day(i64::from(*value), 1_000, 3),
        Avro::TimeMicros(value) => time_of_day(*value, 1_000_000, 6),
        Avro::TimestampMillis(value) => timestamp(*value, 1_000, 3, "Z"),
        Avro::TimestampMicros(value) => timestamp(*value, 1_000_000, 6, "Z"),
        Avro::TimestampNanos(value) => timestamp(*value, 1_000_000_000, 9, "Z"),
        Avro::LocalTimestampMillis(value) => timestamp(*value, 1_000, 3, ""),
        Avro::LocalTimestampMicros(value) => timestamp(*value, 1_000_000, 6, ""),
        Avro::LocalTimestampNanos(value) => timestamp(*value, 1_000_000_000, 9, ""),
        other => anyhow::bail!("the oracle has no rule for {other:?}"),
    })
}

/// Returns the name of the field `name` in the document of a record with these fields.
fn name_in(name: &str, fields: &[(String, Avro)]) -> String {
    let mut free = name.to_owned();
    if RESERVED.contains(&name) {
        free.push('_');
        while fields.iter().any(|(field, _)| *field == free) {
            free.push('_');
        }
    }
    free
}

/// Returns the value of a big-endian two's complement integer.
fn unscaled(bytes: &[u8]) -> anyhow::Result<i128> {
    anyhow::ensure!(bytes.len() <= 16, "the oracle has no rule for a decimal of {} bytes", bytes.len());
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let mut all = [sign; 16];
    all[16 - bytes.len()..].copy_from_slice(bytes);
    Ok(i128::from_be_bytes(all))
}

#[cfg(test)]
mod tests;
