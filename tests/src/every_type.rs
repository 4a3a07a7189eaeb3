//! Events of a schema with every Avro type, encoded byte by byte, each with its expected document by
//! `docs/document-rules.md`. This oracle shares no code with the tested code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::document_rules::{date_text, decimal, time_of_day, timestamp};

/// The schema.
pub const SCHEMA: &str = include_str!("every_type/schema.json");

/// An event with its expected document, except for `_ingested_at`.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The field `event_id`.
    pub id: String,
    /// The datum.
    pub datum: Vec<u8>,
    /// The document.
    pub document: Map<String, Value>,
}

struct Writer {
    rng: StdRng,
    datum: Vec<u8>,
    document: Map<String, Value>,
}

/// Returns event `number`, which is the same each time.
pub fn event(number: u64) -> Event {
    let id = format!("every-type-{number}");
    let mut writer = Writer { rng: StdRng::seed_from_u64(number), datum: Vec::new(), document: Map::new() };
    writer.text("event_id", &id);
    writer.numbers();
    writer.texts();
    writer.times();
    writer.decimals();
    writer.collections();
    writer.unions();
    Event { id, datum: writer.datum, document: writer.document }
}

impl Writer {
    fn set(&mut self, name: &str, value: Value) {
        self.document.insert(name.to_owned(), value);
    }

    fn text(&mut self, name: &str, text: &str) {
        put_bytes(&mut self.datum, text.as_bytes());
        self.set(name, json!(text));
    }

    fn long(&mut self) -> i64 {
        const EDGES: [i64; 6] = [0, -1, i64::MAX, i64::MIN, i32::MAX as i64 + 1, 63];
        match self.rng.random_range(0..3) {
            0 => EDGES[self.rng.random_range(0..EDGES.len())],
            1 => self.rng.random(),
            _ => self.rng.random_range(-1_000..1_000),
        }
    }

    fn numbers(&mut self) {
        let boolean: bool = self.rng.random();
        self.datum.push(u8::from(boolean));
        self.set("boolean", json!(boolean));
        let int: i32 = if self.rng.random_bool(0.2) { i32::MIN } else { self.rng.random() };
        put_long(&mut self.datum, int.into());
        self.set("int", json!(int));
        let long = self.long();
        put_long(&mut self.datum, long);
        self.set("long", json!(long));
        let float = match self.rng.random_range(0..8) {
            0 => f32::NAN,
            1 => f32::MAX,
            2 => f32::from_bits(1),
            _ => self.rng.random::<f32>() * 1e6,
        };
        self.datum.extend_from_slice(&float.to_le_bytes());
        let text = format!("{float}");
        self.set("float", if float.is_finite() { json!(text.parse::<f64>().unwrap_or_default()) } else { Value::Null });
        let double = match self.rng.random_range(0..8) {
            0 => f64::NEG_INFINITY,
            1 => f64::MAX,
            2 => 5e-324,
            _ => self.rng.random::<f64>() * 1e9,
        };
        self.datum.extend_from_slice(&double.to_le_bytes());
        self.set("double", if double.is_finite() { json!(double) } else { Value::Null });
    }

    fn texts(&mut self) {
        let count = self.rng.random_range(0..20);
        let bytes: Vec<u8> = (0..count).map(|_| self.rng.random()).collect();
        put_bytes(&mut self.datum, &bytes);
        self.set("bytes", json!(STANDARD.encode(&bytes)));
        let fixed: [u8; 3] = self.rng.random();
        self.datum.extend_from_slice(&fixed);
        self.set("fixed", json!(STANDARD.encode(fixed)));
        let text = match self.rng.random_range(0..10) {
            0 => String::new(),
            1 => "日本 \"😀\" \\ \u{0} \n é".to_owned(),
            // Longer than a term may be.
            2 => "é".repeat(self.rng.random_range(8_000..40_000)),
            _ => format!("text-{}", self.rng.random_range(0..1_000)),
        };
        self.text("string", &text);
        let symbol = self.rng.random_range(0..3_usize);
        put_long(&mut self.datum, symbol as i64);
        self.set("enum", json!(["RED", "GREEN", "BLUE"][symbol]));
        let uuid = uuid::Uuid::from_bytes(self.rng.random());
        put_bytes(&mut self.datum, uuid.to_string().to_uppercase().as_bytes());
        self.set("uuid", json!(uuid.to_string()));
    }

    /// Returns a time close to now in most cases, else any time.
    fn time(&mut self, per_second: i64) -> i64 {
        match self.rng.random_range(0..6) {
            0 => self.rng.random(),
            1 => {
                [0, -1, i64::MAX, i64::MIN, -62_167_219_200 * (per_second / 1_000).max(1)][self.rng.random_range(0..5)]
            }
            _ => {
                self.rng.random_range(0..2_000_000_000_i64).wrapping_mul(per_second)
                    + self.rng.random_range(0..per_second)
            }
        }
    }

    fn times(&mut self) {
        let days: i32 = match self.rng.random_range(0..6) {
            0 => self.rng.random(),
            1 => -719_528,
            _ => self.rng.random_range(0..40_000),
        };
        put_long(&mut self.datum, days.into());
        let date = date_text(i64::from(days) * 86_400).map(|text| json!(text));
        self.set("date", date.unwrap_or(json!(i64::from(days) * 86_400_000)));
        let of_day: i32 = if self.rng.random_bool(0.1) { -5 } else { self.rng.random_range(0..86_400_000) };
        put_long(&mut self.datum, of_day.into());
        self.set("time_millis", time_of_day(of_day.into(), 1_000, 3));
        let of_day: i64 =
            if self.rng.random_bool(0.1) { 86_400_000_000 } else { self.rng.random_range(0..86_400_000_000) };
        put_long(&mut self.datum, of_day);
        self.set("time_micros", time_of_day(of_day, 1_000_000, 6));
        for (unit, per_second, digits) in [("millis", 1_000, 3), ("micros", 1_000_000, 6), ("nanos", 1_000_000_000, 9)]
        {
            for (name, zone) in [("timestamp", "Z"), ("local_timestamp", "")] {
                let value = self.time(per_second);
                put_long(&mut self.datum, value);
                self.set(&format!("{name}_{unit}"), timestamp(value, per_second, digits, zone));
            }
        }
        let parts: [u32; 3] = self.rng.random();
        parts.iter().for_each(|part| self.datum.extend_from_slice(&part.to_le_bytes()));
        self.set("duration", json!({ "months": parts[0], "days": parts[1], "milliseconds": parts[2] }));
    }

    fn decimals(&mut self) {
        let unscaled: i128 =
            if self.rng.random_bool(0.3) { self.rng.random() } else { self.rng.random_range(-99..100_000) };
        put_bytes(&mut self.datum, &unscaled.to_be_bytes());
        self.set("decimal", json!(decimal(unscaled, 2)));
        let unscaled: i64 = self.rng.random();
        self.datum.extend_from_slice(&unscaled.to_be_bytes());
        self.set("decimal_fixed", json!(decimal(unscaled.into(), 4)));
        let unscaled: i64 = self.rng.random();
        let mut inner = Vec::new();
        put_bytes(&mut inner, &unscaled.to_be_bytes());
        put_long(&mut inner, 3);
        put_bytes(&mut self.datum, &inner);
        self.set("big_decimal", json!(decimal(unscaled.into(), 3)));
    }

    fn collections(&mut self) {
        let items: Vec<i32> = (0..self.rng.random_range(0..5)).map(|_| self.rng.random()).collect();
        put_block(&mut self.datum, &items, |datum, item| put_long(datum, i64::from(*item)));
        self.set("array", json!(items));
        let lists: Vec<Vec<i64>> = (0..self.rng.random_range(0..3)).map(|_| vec![self.long(), self.long()]).collect();
        put_block(&mut self.datum, &lists, |datum, list| put_block(datum, list, |datum, item| put_long(datum, *item)));
        self.set("array_of_arrays", json!(lists));
        let entries: Vec<(String, String)> = (0..self.rng.random_range(0..4))
            .map(|n| (format!("key.{n} é"), format!("value-{}", self.rng.random_range(0..9))))
            .collect();
        put_block(&mut self.datum, &entries, |datum, (key, value)| {
            put_bytes(datum, key.as_bytes());
            put_bytes(datum, value.as_bytes());
        });
        self.set("map", json!(Map::from_iter(entries.into_iter().map(|(key, value)| (key, json!(value))))));
        let x: i32 = self.rng.random();
        put_long(&mut self.datum, x.into());
        put_bytes(&mut self.datum, b"y");
        self.set("record", json!({ "x": x, "y": "y" }));
        let points: Vec<(i32, String)> =
            (0..self.rng.random_range(0..3)).map(|n| (self.rng.random(), format!("p{n}"))).collect();
        put_block(&mut self.datum, &points, |datum, (x, y)| {
            put_long(datum, i64::from(*x));
            put_bytes(datum, y.as_bytes());
        });
        self.set("records", points.into_iter().map(|(x, y)| json!({ "x": x, "y": y })).collect());
        let depth = self.rng.random_range(0..12);
        let tree = tree(depth, &mut self.datum);
        self.set("tree", tree);
        self.set("empty", json!({}));
    }

    fn unions(&mut self) {
        self.set("null", Value::Null);
        let present = self.rng.random_bool(0.5);
        put_long(&mut self.datum, i64::from(present));
        if present {
            self.text("nullable", "there");
        } else {
            self.set("nullable", Value::Null);
        }
        let branch = self.rng.random_range(0..3);
        put_long(&mut self.datum, branch);
        match branch {
            0 => {
                put_long(&mut self.datum, 7);
                self.set("int_or_text", json!(7));
            }
            1 => self.text("int_or_text", "seven"),
            _ => {
                self.datum.push(1);
                self.set("int_or_text", json!(true));
            }
        }
        put_bytes(&mut self.datum, b"not the document's");
        self.set("_id_", json!("not the document's"));
    }
}

/// Returns a tree with this nesting: deeper than a mapping follows.
fn tree(depth: u32, datum: &mut Vec<u8>) -> Value {
    put_long(datum, depth.into());
    put_long(datum, i64::from(depth > 0));
    let child = if depth > 0 { tree(depth - 1, datum) } else { Value::Null };
    json!({ "depth": depth, "child": child })
}

fn put_long(datum: &mut Vec<u8>, value: i64) {
    let mut rest = (value << 1 ^ value >> 63).cast_unsigned();
    while rest >= 0x80 {
        datum.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    datum.push(rest as u8);
}

fn put_bytes(datum: &mut Vec<u8>, bytes: &[u8]) {
    put_long(datum, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    datum.extend_from_slice(bytes);
}

fn put_block<T>(datum: &mut Vec<u8>, items: &[T], mut put: impl FnMut(&mut Vec<u8>, &T)) {
    if !items.is_empty() {
        put_long(datum, i64::try_from(items.len()).unwrap_or(i64::MAX));
        items.iter().for_each(|item| put(datum, item));
    }
    put_long(datum, 0);
}
