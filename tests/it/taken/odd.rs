//! Schemas with names that no specification allows, and their data, made of random numbers and written byte by byte.

use std::collections::BTreeSet;

use harness::event::{put_bytes, put_long, put_string};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use values::Writer;

mod values;

/// The depth to which a schema is nested.
const DEPTH: usize = 4;
/// The number of events of one schema.
const EVENTS: usize = 40;
/// The longest accepted name, in bytes.
const MAX_NAME: usize = 512;

#[rustfmt::skip]
const NAMES: [&str; 52] = [
    "_id", "_source", "_index", "_type", "_routing", "_version", "_ingested_at", "_event_type", "_doc_count",
    "_seq_no", "_field_names", "@timestamp", "a.b", "a_b", "a.b.c", ".", "..", "a.", ".a", " ", "  ", " a", "\t",
    "\u{1}", "\u{1c}", "\u{1f} ", "\0", "*", "a*", "?", "properties", "type", "fields", "dynamic", "enabled", "value",
    "null", "é", "日本", "😀", "\"", "\\", "#", "key", "_", "-", "a=b", "A", "timestamp",
    "_primary_term", "_tombstone", "__soft_deletes",
];

/// How the values of a type are written.
enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    /// An enum with this many symbols.
    Symbol(i64),
    Decimal,
    BigDecimal,
    Array(Box<Self>),
    Map(Box<Self>),
    /// A record, by its number in [`Maker::records`].
    Record(usize),
    Union(Vec<Self>),
}

/// Makes one schema.
struct Maker<'r> {
    rng: &'r mut StdRng,
    /// The fields of each record.
    records: Vec<Vec<Type>>,
    /// The records around the type that is being made.
    open: Vec<usize>,
    names: usize,
}

/// Returns a schema and data of it. The receiver refuses a few of the data.
pub(super) fn events(rng: &mut StdRng) -> (String, Vec<Vec<u8>>) {
    let mut maker = Maker { rng, records: Vec::new(), open: Vec::new(), names: 0 };
    let (schema, root) = match maker.rng.random_range(0..8) {
        0 => maker.any(DEPTH),
        1 => maker.union(DEPTH),
        _ => maker.record(DEPTH),
    };
    let Maker { records, rng, .. } = maker;
    let data = (0..EVENTS).map(|_| Writer::new(rng, &records).datum(&root)).collect();
    (schema.to_string(), data)
}

impl Maker<'_> {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.choose(self.rng).unwrap_or(&from[0])
    }

    fn any(&mut self, depth: usize) -> (Value, Type) {
        match self.rng.random_range(0..if depth == 0 { 17 } else { 34 }) {
            17..=21 => self.record(depth - 1),
            22..=24 => {
                let (items, of) = self.any(depth - 1);
                (json!({"type": "array", "items": items}), Type::Array(Box::new(of)))
            }
            25..=28 => {
                let (values, of) = self.any(depth - 1);
                (json!({"type": "map", "values": values}), Type::Map(Box::new(of)))
            }
            29 if !self.open.is_empty() => self.own(),
            29.. => self.union(depth - 1),
            kind => self.scalar(kind),
        }
    }

    fn scalar(&mut self, kind: usize) -> (Value, Type) {
        let logical = |base: &str, name: &str| json!({"type": base, "logicalType": name});
        match kind {
            0 => (json!("null"), Type::Null),
            1 => (json!("boolean"), Type::Boolean),
            2 => (json!("int"), Type::Int),
            3 => (json!("long"), Type::Long),
            4 => (json!("float"), Type::Float),
            5 => (json!("double"), Type::Double),
            6 => (json!("bytes"), Type::Bytes),
            7 | 8 => (json!("string"), Type::Text),
            9 => (logical("string", "uuid"), Type::Text),
            10 => (logical("int", self.pick(&["date", "time-millis", "no-such-type"])), Type::Int),
            11 | 12 => {
                let (kind, unit) =
                    (self.pick(&["timestamp", "local-timestamp", "time"]), self.pick(&["millis", "micros", "nanos"]));
                (logical("long", &format!("{kind}-{unit}")), Type::Long)
            }
            13 => (logical("bytes", "big-decimal"), Type::BigDecimal),
            14 => {
                let scale = self.pick(&[0, 2, 40, 1_000]);
                let schema = json!({"type": "bytes", "logicalType": "decimal", "precision": 3_000, "scale": scale});
                (schema, Type::Decimal)
            }
            15 => self.fixed(),
            _ => self.symbols(),
        }
    }

    /// Returns a record that encloses this place, or null.
    fn own(&mut self) -> (Value, Type) {
        let open = self.open.clone();
        let record = self.pick(&open);
        (json!(["null", format!("R{record}")]), Type::Union(vec![Type::Null, Type::Record(record)]))
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("N{}", self.names)
    }

    fn fixed(&mut self) -> (Value, Type) {
        let (size, logical) = self.pick(&[(0, ""), (1, ""), (16, "uuid"), (12, "duration"), (20, "decimal")]);
        let mut schema = json!({"type": "fixed", "name": self.name(), "size": size, "precision": 40, "scale": 3});
        if !logical.is_empty() {
            schema["logicalType"] = json!(logical);
        }
        (schema, Type::Fixed(size))
    }

    fn symbols(&mut self) -> (Value, Type) {
        let long = "s".repeat(MAX_NAME);
        let symbols = ["A", "", " ", "a.b", "\0", "日本", "A", long.as_str()];
        (json!({"type": "enum", "name": self.name(), "symbols": symbols}), Type::Symbol(8))
    }

    fn record(&mut self, depth: usize) -> (Value, Type) {
        let number = self.records.len();
        self.records.push(Vec::new());
        self.open.push(number);
        let (mut fields, mut types, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
        // The receiver refuses an empty body.
        let least = usize::from(self.open.len() == 1);
        for _ in 0..self.rng.random_range(least..7) {
            let name = match self.rng.random_range(0..12) {
                0 => "n".repeat(MAX_NAME),
                1 => "€".repeat(MAX_NAME / 3),
                _ => self.pick(&NAMES).to_owned(),
            };
            if names.insert(name.clone()) {
                let (schema, of) = self.any(depth);
                fields.push(json!({"name": name, "type": schema}));
                types.push(of);
            }
        }
        self.open.pop();
        self.records[number] = types;
        (json!({"type": "record", "name": format!("R{number}"), "fields": fields}), Type::Record(number))
    }

    fn union(&mut self, depth: usize) -> (Value, Type) {
        let (mut schemas, mut types) = (Vec::new(), Vec::new());
        for _ in 0..self.rng.random_range(1..5) {
            let (schema, of) = self.any(depth);
            // A union may not contain a union.
            if !schema.is_array() {
                schemas.push(schema);
                types.push(of);
            }
        }
        if schemas.is_empty() || self.rng.random() {
            schemas.push(json!("null"));
            types.push(Type::Null);
        }
        (Value::Array(schemas), Type::Union(types))
    }
}

/// Returns schemas at the limits, with events of each, and how many of these are accepted.
pub(super) fn largest() -> Vec<(String, Vec<Vec<u8>>, u64)> {
    let record = |fields: Vec<Value>| json!({"type": "record", "name": "Large", "fields": fields}).to_string();
    let field = |name: String, of: &str| json!({"name": name, "type": of});
    let map = json!({"type": "map", "values": "string"});
    let maps = (0..1_500).map(|number| json!({"name": format!("m{number}"), "type": map})).collect();
    let mut of_maps = Vec::new();
    (0..1_500).for_each(|_| put_entry(&mut of_maps, "k", |out| put_string(out, "v")));
    vec![
        (record(maps), vec![of_maps], 1),
        // This exceeds the fields of a mapping, and those of all schemas together.
        (record((0..6_000).map(|number| field(format!("f{number}"), "int")).collect()), vec![vec![2; 6_000]], 1),
        (record((0..12_000).map(|number| field(format!("f{number}"), "boolean")).collect()), vec![vec![1; 12_000]], 1),
        long_path(),
        records_in_a_map(),
    ]
}

/// Returns maps below the longest names, with the longest keys and values.
fn long_path() -> (String, Vec<Vec<u8>>, u64) {
    const LEVELS: [usize; 4] = [1, 3, 4, 12];
    let nested = |levels: usize| {
        let map = json!({"type": "map", "values": "string"});
        (0..levels).fold(map, |inner, level| {
            let field = json!({"name": "n".repeat(MAX_NAME), "type": inner});
            json!({"type": "record", "name": format!("R{level}of{levels}"), "fields": [field]})
        })
    };
    let fields = LEVELS.map(|levels| json!({"name": format!("of{levels}"), "type": nested(levels)}));
    let schema = json!({"type": "record", "name": "Large", "fields": fields}).to_string();
    let datum = |length: usize| {
        let mut datum = Vec::new();
        let value = |out: &mut Vec<u8>| put_string(out, &"v".repeat(length));
        LEVELS.iter().for_each(|_| put_entry(&mut datum, &"k".repeat(16_383), value));
        datum
    };
    (schema, [12_288, 12_289, 40_000].map(datum).into(), 3)
}

/// Returns nested records in a map. To the server, the names of their fields are keys. The last event has too many.
fn records_in_a_map() -> (String, Vec<Vec<u8>>, u64) {
    let fields = json!([{"name": "n".repeat(MAX_NAME), "type": ["null", "Own"]}, {"name": "text", "type": "string"}]);
    let own = json!({"type": "record", "name": "Own", "fields": fields});
    let schema =
        json!({"type": "record", "name": "Large", "fields": [{"name": "m", "type": {"type": "map", "values": own}}]});
    let datum = |levels: usize| {
        let mut datum = Vec::new();
        put_entry(&mut datum, "k", |out| {
            out.extend(vec![2; levels - 1]);
            out.push(0);
            (0..levels).for_each(|_| put_string(out, &"v".repeat(12_288)));
        });
        datum
    };
    (schema.to_string(), [1, 31, 45].map(datum).into(), 2)
}

/// Appends a map with one entry.
fn put_entry(out: &mut Vec<u8>, key: &str, value: impl Fn(&mut Vec<u8>)) {
    put_long(out, 1);
    put_bytes(out, key.as_bytes());
    value(out);
    put_long(out, 0);
}
