//! Comparisons with apache-avro: its output is read with the same values, and both refuse the same data.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::{DecimalSchema, ResolvedSchema, Schema as AvroSchema};
use apache_avro::types::Value;
use apache_avro::util::max_allocation_bytes;
use apache_avro::writer::datum::GenericDatumWriter;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigInt;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::generate::Tape;
use super::times::{date_text, time_text, timestamp_text};
use super::*;

/// Returns the JSON of a value by the rules, computed slowly and by other means.
fn expected(value: &Value, schema: &AvroSchema, names: &ResolvedSchema<'_>) -> Json {
    match (value, schema) {
        (_, AvroSchema::Ref { name }) => expected(value, names.get_names()[name], names),
        (Value::Null, _) => Json::Null,
        (Value::Boolean(value), _) => json!(value),
        (Value::Int(value), _) => json!(value),
        (Value::Long(value), _) => json!(value),
        // Conversion through text, since serde_json would widen the value: 0.1_f32 is not 0.1_f64.
        (Value::Float(value), _) => value.to_string().parse::<f64>().map_or(Json::Null, |value| json!(value)),
        (Value::Double(value), _) => json!(value),
        (Value::Bytes(bytes) | Value::Fixed(_, bytes), _) => json!(STANDARD.encode(bytes)),
        (Value::String(text) | Value::Enum(_, text), _) => json!(text),
        (Value::Uuid(uuid), _) => json!(uuid.hyphenated().to_string()),
        (Value::Union(index, value), AvroSchema::Union(union)) => {
            expected(value, &union.variants()[*index as usize], names)
        }
        (Value::Array(items), AvroSchema::Array(array)) => {
            items.iter().map(|item| expected(item, &array.items, names)).collect()
        }
        (Value::Map(entries), AvroSchema::Map(map)) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), expected(value, &map.types, names)));
            Json::Object(entries.collect())
        }
        (Value::Record(values), AvroSchema::Record(record)) => {
            let fields = values.iter().zip(&record.fields);
            let members = fields.map(|((name, value), field)| (name.clone(), expected(value, &field.schema, names)));
            Json::Object(members.collect::<Map<_, _>>())
        }
        _ => expected_logical(value, schema),
    }
}

fn expected_logical(value: &Value, schema: &AvroSchema) -> Json {
    match (value, schema) {
        (Value::Decimal(decimal), AvroSchema::Decimal(DecimalSchema { scale, .. })) => {
            json!(scaled(&BigInt::from(decimal.clone()).to_string(), *scale))
        }
        (Value::BigDecimal(decimal), _) => {
            let (digits, scale) = decimal.as_bigint_and_exponent();
            match usize::try_from(scale) {
                Ok(scale) if scale <= 1_000 => json!(scaled(&digits.to_string(), scale)),
                _ => json!(format!("{digits}E{}", -i128::from(scale))),
            }
        }
        (Value::Date(days), _) => date_text(*days),
        (Value::TimeMillis(time), _) => time_text(i64::from(*time), 1_000, 3),
        (Value::TimeMicros(time), _) => time_text(*time, 1_000_000, 6),
        (Value::TimestampMillis(time), _) => timestamp_text(*time, 1_000, 3, "Z"),
        (Value::TimestampMicros(time), _) => timestamp_text(*time, 1_000_000, 6, "Z"),
        (Value::TimestampNanos(time), _) => timestamp_text(*time, 1_000_000_000, 9, "Z"),
        (Value::LocalTimestampMillis(time), _) => timestamp_text(*time, 1_000, 3, ""),
        (Value::LocalTimestampMicros(time), _) => timestamp_text(*time, 1_000_000, 6, ""),
        (Value::LocalTimestampNanos(time), _) => timestamp_text(*time, 1_000_000_000, 9, ""),
        (Value::Duration(duration), _) => {
            let [months, days, millis] =
                [duration.months().into(), duration.days().into(), duration.millis().into()].map(|part: u32| part);
            json!({"months": months, "days": days, "milliseconds": millis})
        }
        other => panic!("no rule for {other:?}"),
    }
}

fn scaled(digits: &str, scale: usize) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// Returns the members of the document. A root that is not a record, nor a union with a record, is one member.
fn expected_document(value: &Value, schema: &AvroSchema, names: &ResolvedSchema<'_>) -> Json {
    let json = expected(value, schema, names);
    match (value, schema) {
        (Value::Record(_), _) => json,
        (Value::Union(_, value), AvroSchema::Union(union)) => {
            let has_records = union.variants().iter().any(|branch| matches!(branch, AvroSchema::Record(_)));
            match &**value {
                Value::Record(_) => json,
                Value::Null if has_records => json!({}),
                _ => json!({ "value": json }),
            }
        }
        _ => json!({ "value": json }),
    }
}

fn document(members: &str) -> Json {
    serde_json::from_str(&format!("{{{members}}}")).unwrap_or_else(|error| panic!("{error} in {members}"))
}

/// Returns the value that apache-avro reads, if it uses all bytes.
fn read_by_judge(schema: &AvroSchema, mut datum: &[u8]) -> Option<Value> {
    let reader = GenericDatumReader::builder(schema).build().unwrap();
    let value = reader.read_value(&mut datum).ok()?;
    datum.is_empty().then_some(value)
}

/// Returns whether apache-avro, which is more lenient, may accept data that is refused for this reason.
fn may_differ(kind: DecodeErrorKind) -> bool {
    match kind {
        // In some places, apache-avro takes the end of the datum for null or an empty string.
        DecodeErrorKind::Truncated { .. } | DecodeErrorKind::BlockCount { .. } => true,
        // It ignores the size of a block and its sign, and accepts an int as long as a long.
        DecodeErrorKind::BlockSize { .. } | DecodeErrorKind::NegativeLength { .. } => true,
        DecodeErrorKind::VarintTooLong | DecodeErrorKind::IntegerOutOfRange => true,
        // It keeps the last of duplicate values, and accepts other forms of UUIDs.
        DecodeErrorKind::DuplicateKey | DecodeErrorKind::NotUuid | DecodeErrorKind::NotBigDecimal => true,
        // Limits that only Penstock has.
        DecodeErrorKind::TooDeep { .. } | DecodeErrorKind::TooManyItems { .. } => true,
        DecodeErrorKind::TooManyValues { .. } => true,
        DecodeErrorKind::DecimalTooLong { .. } => true,
        // Keys that no index accepts.
        DecodeErrorKind::NulInKey | DecodeErrorKind::KeysTooLong { .. } => true,
        DecodeErrorKind::TrailingBytes { .. } | DecodeErrorKind::NotBoolean { .. } => false,
        DecodeErrorKind::NotUtf8 | DecodeErrorKind::EnumIndex { .. } | DecodeErrorKind::UnionIndex { .. } => false,
    }
}

/// Returns whether two documents are equal. Numbers with a fraction may differ in their last digits: `serde_json` reads
/// them no more precisely, and a float may have two shortest texts. Another test checks that they read back unchanged.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            let found = |(key, left)| right.get(key).is_some_and(|right| same(left, right));
            left.len() == right.len() && left.iter().all(found)
        }
        (Json::Number(left), Json::Number(right)) if left.is_f64() && right.is_f64() => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            (left - right).abs() <= left.abs() * 1e-7
        }
        _ => left == right,
    }
}

pub(super) struct Case {
    avro: AvroSchema,
    pub(super) ours: Schema,
    pub(super) datum: Vec<u8>,
    value: Value,
}

pub(super) fn case(tape: &[u8]) -> Case {
    max_allocation_bytes(1 << 20);
    let mut tape = Tape::new(tape);
    let json = tape.root().to_string();
    let avro = AvroSchema::parse_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"));
    let value = tape.value(&avro, &ResolvedSchema::new(&avro).unwrap());
    let writer = GenericDatumWriter::builder(&avro).build().unwrap();
    let datum = writer.write_value_to_vec(value.clone()).unwrap_or_else(|error| panic!("{error} in {json}"));
    Case { ours: schema(&json), avro, datum, value }
}

pub(super) fn tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..900)
}

/// Compares the results for an arbitrary datum: nothing panics, and each difference has a known reason.
fn judge(case: &Case, datum: &[u8]) {
    let theirs = read_by_judge(&case.avro, datum);
    match (strictly(&case.ours, datum, LIMITS), theirs) {
        (Ok(members), Some(value)) => {
            let names = ResolvedSchema::new(&case.avro).unwrap();
            let expected = expected_document(&value, &case.avro, &names);
            assert!(same(&document(&members), &expected), "{members}, not {expected}, of {datum:?}");
        }
        (Ok(members), None) => panic!("only we take {datum:?} as {members} by {:?}", case.avro),
        (Err(error), Some(_)) => {
            assert!(may_differ(error.kind), "only we refuse {datum:?} by {:?}: {error}", case.avro);
        }
        (Err(_), None) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_written_by_apache_avro_are_read_unchanged(tape in tape()) {
        let case = case(&tape);
        let members = written(&case.ours, &case.datum, LIMITS).unwrap();
        let names = ResolvedSchema::new(&case.avro).unwrap();
        let expected = expected_document(&case.value, &case.avro, &names);
        prop_assert!(same(&document(&members), &expected), "{members}, not {expected}");
    }

    #[test]
    fn a_truncated_or_extended_datum_is_refused(tape in tape()) {
        let Case { ours, mut datum, .. } = case(&tape);
        for len in 0..datum.len() {
            let error = written(&ours, &datum[..len], LIMITS).unwrap_err();
            prop_assert!(error.offset <= len, "{error} is beyond the {len} bytes");
        }
        datum.push(0);
        let error = written(&ours, &datum, LIMITS).unwrap_err();
        prop_assert_eq!(error.kind, DecodeErrorKind::TrailingBytes { count: 1 });
        prop_assert_eq!(error.offset, datum.len() - 1);
    }

    #[test]
    fn damaged_data_have_the_same_outcome_as_in_apache_avro(
        tape in tape(),
        damages in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let case = case(&tape);
        if case.datum.is_empty() {
            return Ok(());
        }
        for (place, byte) in damages {
            let mut datum = case.datum.clone();
            let place = place.index(datum.len());
            datum[place] = byte;
            judge(&case, &datum);
            datum[place] = case.datum[place] ^ 1 << (byte % 8);
            judge(&case, &datum);
        }
    }

    #[test]
    fn random_bytes_have_the_same_outcome_as_in_apache_avro(tape in tape(), datum in proptest::collection::vec(0..6_u8, 0..30)) {
        judge(&case(&tape), &datum);
    }
}
