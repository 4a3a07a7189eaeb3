//! Generates schemas and values from a tape of random bytes. An empty tape gives the simplest schema and value. So
//! proptest finds the simplest failing case by shortening the tape and lowering its bytes.

use std::collections::HashMap;

use apache_avro::schema::{InnerDecimalSchema, ResolvedSchema, UuidSchema};
use apache_avro::types::Value;
use apache_avro::{Days, Decimal, Duration, Millis, Months, Schema, Uuid};
use serde_json::{Value as Json, json};

/// Holds random bytes and the position in them.
pub(super) struct Tape<'t> {
    rest: &'t [u8],
    names: usize,
}

impl<'t> Tape<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> Self {
        Self { rest: bytes, names: 0 }
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    fn some(&mut self, most: usize) -> Vec<u8> {
        let count = self.below(most);
        (0..count).map(|_| self.byte()).collect()
    }

    fn long(&mut self) -> i64 {
        const EDGES: [i64; 14] = [
            0,
            1,
            -1,
            63,
            64,
            -64,
            -65,
            i32::MAX as i64,
            i32::MIN as i64,
            i64::MAX,
            i64::MIN,
            253_402_300_799_999,
            253_402_300_800_000,
            -62_167_219_200_001,
        ];
        match self.below(4) {
            0 => i64::from(self.byte().cast_signed()),
            1 => EDGES[self.below(EDGES.len())],
            2 => i64::from_le_bytes(self.bytes()),
            // A time close to now, in milliseconds.
            _ => 1_700_000_000_000 + i64::from(u32::from_le_bytes(self.bytes())),
        }
    }

    fn int(&mut self) -> i32 {
        const EDGES: [i32; 8] = [0, 1, -1, 63, 64, -719_528, i32::MAX, i32::MIN];
        match self.below(3) {
            0 => i32::from(self.byte().cast_signed()),
            1 => EDGES[self.below(EDGES.len())],
            _ => i32::from_le_bytes(self.bytes()),
        }
    }

    fn double(&mut self) -> f64 {
        const EDGES: [f64; 9] = [0.0, -0.0, 1.5, 1e21, 5e-324, f64::MAX, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        match self.below(2) {
            0 => EDGES[self.below(EDGES.len())],
            _ => f64::from_le_bytes(self.bytes()),
        }
    }

    fn float(&mut self) -> f32 {
        const EDGES: [f32; 8] = [0.0, -0.0, 0.1, 16_777_216.0, f32::MAX, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE];
        match self.below(2) {
            0 => EDGES[self.below(EDGES.len())],
            _ => f32::from_le_bytes(self.bytes()),
        }
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 12] =
            ["a", "event-0123456789", "\"", "\\", "\n", "\u{0}", "\u{1f}", "\u{7f}", "é", "日本", "😀", "\u{2028}"];
        let count = self.below(8);
        (0..count).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("Name{}", self.names)
    }

    /// Returns a schema of any type, usually a record.
    pub(super) fn root(&mut self) -> Json {
        const DEPTH: usize = 4;
        if self.below(4) == 0 { self.schema(DEPTH) } else { self.record(DEPTH - 1) }
    }

    fn schema(&mut self, depth: usize) -> Json {
        match self.below(if depth == 0 { 25 } else { 45 }) {
            25..=30 => self.record(depth - 1),
            31..=34 => json!({"type": "array", "items": self.schema(depth - 1)}),
            35..=38 => json!({"type": "map", "values": self.schema(depth - 1)}),
            39..=41 => self.nullable(depth - 1),
            42..=44 => self.union(depth - 1),
            kind => self.scalar(kind),
        }
    }

    fn scalar(&mut self, kind: usize) -> Json {
        const PLAIN: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
        const LOGICAL: [(&str, &str); 11] = [
            ("string", "uuid"),
            ("int", "date"),
            ("int", "time-millis"),
            ("long", "time-micros"),
            ("long", "timestamp-millis"),
            ("long", "timestamp-micros"),
            ("long", "timestamp-nanos"),
            ("long", "local-timestamp-millis"),
            ("long", "local-timestamp-micros"),
            ("long", "local-timestamp-nanos"),
            ("bytes", "big-decimal"),
        ];
        if let Some(name) = PLAIN.get(kind) {
            return json!(name);
        }
        if let Some((base, logical)) = LOGICAL.get(kind - PLAIN.len()) {
            return json!({"type": base, "logicalType": logical});
        }
        let name = self.name();
        match kind - PLAIN.len() - LOGICAL.len() {
            0 => json!({"type": "fixed", "name": name, "size": self.below(20)}),
            1 => json!({"type": "fixed", "name": name, "size": 16, "logicalType": "uuid"}),
            2 => json!({"type": "fixed", "name": name, "size": 12, "logicalType": "duration"}),
            3 => {
                let size = 1 + self.below(20);
                json!({"type": "fixed", "name": name, "size": size, "logicalType": "decimal", "precision": 2, "scale": 2})
            }
            4 => json!({"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": self.below(30)}),
            _ => {
                let symbols: Vec<String> = (0..1 + self.below(5)).map(|number| format!("SYMBOL_{number}")).collect();
                json!({"type": "enum", "name": name, "symbols": symbols})
            }
        }
    }

    fn record(&mut self, depth: usize) -> Json {
        let name = self.name();
        let count = self.below(6);
        let fields: Vec<Json> =
            (0..count).map(|number| json!({"name": format!("f{number}"), "type": self.schema(depth)})).collect();
        json!({"type": "record", "name": name, "fields": fields})
    }

    fn nullable(&mut self, depth: usize) -> Json {
        let other = self.schema(depth);
        if other.is_array() || other == "null" {
            return other;
        }
        if self.below(2) == 0 { json!(["null", other]) } else { json!([other, "null"]) }
    }

    /// Returns a union. It contains no union, and each unnamed type at most once.
    fn union(&mut self, depth: usize) -> Json {
        let mut branches: Vec<Json> = Vec::new();
        let mut kinds = Vec::new();
        for _ in 0..1 + self.below(4) {
            let branch = self.schema(depth);
            let kind = branch["type"].as_str().or(branch.as_str()).map(str::to_owned);
            let named = branch.get("name").is_some();
            if branch.is_array() || (!named && kinds.contains(&kind)) {
                continue;
            }
            kinds.push(kind);
            branches.push(branch);
        }
        if branches.is_empty() { json!("null") } else { json!(branches) }
    }

    /// Returns a value for a schema.
    pub(super) fn value(&mut self, schema: &Schema, names: &ResolvedSchema<'_>) -> Value {
        match schema {
            Schema::Null => Value::Null,
            Schema::Boolean => Value::Boolean(self.byte() % 2 == 1),
            Schema::Int => Value::Int(self.int()),
            Schema::Long => Value::Long(self.long()),
            Schema::Float => Value::Float(self.float()),
            Schema::Double => Value::Double(self.double()),
            Schema::Bytes => Value::Bytes(self.some(40)),
            Schema::String => Value::String(self.text()),
            Schema::Fixed(fixed) => Value::Fixed(fixed.size, (0..fixed.size).map(|_| self.byte()).collect()),
            Schema::Enum(schema) => {
                let index = self.below(schema.symbols.len());
                Value::Enum(index as u32, schema.symbols[index].clone())
            }
            Schema::Ref { name } => self.value(names.get_names()[name], names),
            Schema::Union(union) => {
                let index = self.below(union.variants().len());
                Value::Union(index as u32, Box::new(self.value(&union.variants()[index], names)))
            }
            Schema::Array(array) => {
                let count = self.below(5);
                Value::Array((0..count).map(|_| self.value(&array.items, names)).collect())
            }
            Schema::Map(map) => {
                let count = self.below(12);
                // Keys with U+0000 would be refused.
                let key = |text: String| text.replace('\0', "0");
                let mut entry = |number| (format!("{number}{}", key(self.text())), self.value(&map.types, names));
                Value::Map((0..count).map(&mut entry).collect::<HashMap<_, _>>())
            }
            Schema::Record(record) => {
                let fields = record.fields.iter();
                Value::Record(fields.map(|field| (field.name.clone(), self.value(&field.schema, names))).collect())
            }
            other => self.logical_value(other),
        }
    }

    fn logical_value(&mut self, schema: &Schema) -> Value {
        match schema {
            Schema::Decimal(decimal) => {
                let size = match &decimal.inner {
                    InnerDecimalSchema::Fixed(fixed) => fixed.size,
                    InnerDecimalSchema::Bytes => 1 + self.below(40),
                };
                Value::Decimal(Decimal::from((0..size).map(|_| self.byte()).collect::<Vec<u8>>()))
            }
            Schema::BigDecimal => {
                let (digits, scale) = (i128::from_le_bytes(self.bytes()), self.below(40));
                Value::BigDecimal(format!("{digits}e-{scale}").parse().unwrap_or_default())
            }
            Schema::Uuid(UuidSchema::String | UuidSchema::Fixed(_)) => Value::Uuid(Uuid::from_bytes(self.bytes())),
            Schema::Date => Value::Date(self.int()),
            Schema::TimeMillis => Value::TimeMillis(self.int()),
            Schema::TimeMicros => Value::TimeMicros(self.long()),
            Schema::TimestampMillis => Value::TimestampMillis(self.long()),
            Schema::TimestampMicros => Value::TimestampMicros(self.long()),
            Schema::TimestampNanos => Value::TimestampNanos(self.long()),
            Schema::LocalTimestampMillis => Value::LocalTimestampMillis(self.long()),
            Schema::LocalTimestampMicros => Value::LocalTimestampMicros(self.long()),
            Schema::LocalTimestampNanos => Value::LocalTimestampNanos(self.long()),
            Schema::Duration(_) => {
                let [months, days, millis] = [(); 3].map(|()| u32::from_le_bytes(self.bytes()));
                Value::Duration(Duration::new(Months::new(months), Days::new(days), Millis::new(millis)))
            }
            other => panic!("no value is generated for {other:?}"),
        }
    }
}
