//! Extreme and random values for the servers.

use std::collections::BTreeSet;

use harness::event::{put_bytes, put_long, put_string};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::Type;

/// Roughly the bytes of long text in an event, and its number of other values.
const BYTES: usize = 150_000;
const VALUES: usize = 3_000;
/// How deep an event is nested: one less than the receiver accepts.
const DEPTH: usize = 63;

#[rustfmt::skip]
const KEYS: [&str; 26] = [
    "", " ", ".", "..", "a", "a.", ".a", "a..b", "a.b", "a.b.c", "_id", "_source", "@timestamp", "a=b", "=", "*",
    "\u{1}", "\u{7f}", "é", "日本", "😀", "\"", "\\", "\n", "null", "properties",
];
/// The lengths of keys. The longest accepted key has 16,383 bytes.
const KEY_LENGTHS: [usize; 7] = [255, 512, 4_096, 8_191, 16_000, 16_383, 16_384];
#[rustfmt::skip]
const TEXTS: [&str; 22] = [
    "", " ", "a", "A", "1", "-0", "1e400", "NaN", "true", "null", "{}", "[]", "2026-01-02", "2026-13-45T99:99:99Z",
    "\0", "\u{1}", "\u{2028}", "\u{fffe}", "日本", "😀", "\"\\", "0198C7F2-6b1e-7d3a-9c55-2f41d0a7be13",
];
const LENGTHS: [usize; 12] = [255, 4_096, 4_097, 8_191, 8_192, 12_287, 12_288, 12_289, 32_765, 32_766, 32_767, 100_000];
#[rustfmt::skip]
const LONGS: [i64; 14] = [
    0, 1, -1, 63, 64, -65, i64::MAX, i64::MIN, i64::MAX / 1_000, 253_402_300_799_999, 253_402_300_800_000,
    253_402_300_800_000_000, -62_167_219_200_001, 1_800_000_000_000,
];
const INTS: [i32; 9] = [0, 1, -1, i32::MAX, i32::MIN, -719_529, -719_528, 2_932_896, 86_400_000];
#[rustfmt::skip]
const DOUBLES: [f64; 11] = [
    0.0, -0.0, 0.1, 1e21, 5e-324, f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY,
];
const FLOATS: [f32; 8] = [-0.0, 0.1, 16_777_217.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::NAN, f32::NEG_INFINITY];
const DECIMALS: [usize; 9] = [0, 1, 2, 8, 20, 128, 416, 417, 1_024];
const SCALES: [i64; 9] = [0, 2, -5, 40, 1_000, 1_001, -1_000, 9_000_000_000, -9_000_000_000];

/// Writes one event.
pub(super) struct Writer<'r> {
    rng: &'r mut StdRng,
    records: &'r [Vec<Type>],
    /// The remainders of [`BYTES`], [`VALUES`] and [`DEPTH`].
    bytes: usize,
    values: usize,
    depth: usize,
    /// How often a union with null is not null.
    persistence: f64,
    out: Vec<u8>,
}

impl<'r> Writer<'r> {
    pub(super) fn new(rng: &'r mut StdRng, records: &'r [Vec<Type>]) -> Self {
        let persistence = *[0.2, 0.5, 0.8, 0.98].choose(rng).unwrap_or(&0.5);
        Self { rng, records, bytes: BYTES, values: VALUES, depth: DEPTH, persistence, out: Vec::new() }
    }

    /// Returns an event of the type `root`.
    pub(super) fn datum(mut self, root: &Type) -> Vec<u8> {
        self.value(root);
        self.out
    }

    /// Returns one of `edges` or `any`.
    fn edge<T: Copy>(&mut self, edges: &[T], any: T) -> T {
        if self.rng.random() { *edges.choose(self.rng).unwrap_or(&any) } else { any }
    }

    fn value(&mut self, of: &Type) {
        self.values = self.values.saturating_sub(1);
        match of {
            Type::Null => {}
            Type::Boolean => self.out.push(self.rng.random_range(0..2)),
            Type::Int => {
                let any = self.rng.random();
                let value = self.edge(&INTS, any);
                put_long(&mut self.out, value.into());
            }
            Type::Long => {
                let any = self.rng.random();
                let value = self.edge(&LONGS, any);
                put_long(&mut self.out, value);
            }
            Type::Float => {
                let any = f32::from_bits(self.rng.random());
                let value = self.edge(&FLOATS, any);
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Type::Double => {
                let any = f64::from_bits(self.rng.random());
                let value = self.edge(&DOUBLES, any);
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Type::Bytes | Type::Text => {
                let text = self.text();
                put_string(&mut self.out, &text);
            }
            Type::Fixed(size) => {
                let bytes: Vec<u8> = (0..*size).map(|_| self.rng.random()).collect();
                self.out.extend_from_slice(&bytes);
            }
            Type::Symbol(count) => put_long(&mut self.out, self.rng.random_range(0..*count)),
            Type::Decimal => {
                let digits = self.digits();
                put_bytes(&mut self.out, &digits);
            }
            Type::BigDecimal => self.big_decimal(),
            Type::Array(items) => self.array(items),
            Type::Map(values) => self.map(values),
            Type::Record(number) => {
                let records = self.records;
                self.within(|writer| records[*number].iter().for_each(|field| writer.value(field)));
            }
            Type::Union(branches) => self.union(branches),
        }
    }

    /// Writes one level deeper.
    fn within(&mut self, write: impl FnOnce(&mut Self)) {
        self.depth = self.depth.saturating_sub(1);
        write(self);
        self.depth += 1;
    }

    fn text(&mut self) -> String {
        match self.rng.random_range(0..10) {
            0 => self.long(&LENGTHS),
            1..=5 => (*TEXTS.choose(self.rng).unwrap_or(&"")).to_owned(),
            _ => (0..self.rng.random_range(0..6)).filter_map(|_| TEXTS.choose(self.rng).copied()).collect(),
        }
    }

    /// Returns text of roughly one of `lengths` bytes, while there is room for it.
    fn long(&mut self, lengths: &[usize]) -> String {
        let length = *lengths.choose(self.rng).unwrap_or(&0);
        let unit = *["x", "é", "€", "😀"].choose(self.rng).unwrap_or(&"x");
        if length > self.bytes {
            return unit.to_owned();
        }
        self.bytes -= length;
        unit.repeat(length / unit.len())
    }

    fn digits(&mut self) -> Vec<u8> {
        let length = *DECIMALS.choose(self.rng).unwrap_or(&1);
        (0..length).map(|_| self.rng.random()).collect()
    }

    fn big_decimal(&mut self) {
        let mut inner = Vec::new();
        put_bytes(&mut inner, &self.digits());
        put_long(&mut inner, *SCALES.choose(self.rng).unwrap_or(&0));
        put_bytes(&mut self.out, &inner);
    }

    /// Returns a number of items: none when there is no more room.
    fn count(&mut self) -> usize {
        if self.values == 0 || self.depth <= 1 { 0 } else { self.rng.random_range(0..5) }
    }

    fn array(&mut self, items: &Type) {
        let count = self.count();
        self.block(count, |writer| writer.value(items));
    }

    fn map(&mut self, values: &Type) {
        let mut keys = BTreeSet::new();
        for _ in 0..self.count() {
            let key = match self.rng.random_range(0..200) {
                0 => "a\0b".to_owned(),
                1..=8 => self.long(&KEY_LENGTHS),
                _ => (*KEYS.choose(self.rng).unwrap_or(&"")).to_owned(),
            };
            keys.insert(key);
        }
        let mut left = keys.iter();
        self.block(keys.len(), |writer| {
            put_string(&mut writer.out, left.next().map_or("", |key| key));
            writer.value(values);
        });
    }

    /// Writes a block of `count` items, and the end.
    fn block(&mut self, count: usize, mut item: impl FnMut(&mut Self)) {
        if count > 0 {
            put_long(&mut self.out, i64::try_from(count).unwrap_or(0));
            self.within(|writer| (0..count).for_each(|_| item(writer)));
        }
        put_long(&mut self.out, 0);
    }

    /// Writes a branch: null, if possible, when there is no more room.
    fn union(&mut self, branches: &[Type]) {
        let is_null = |number: &usize| matches!(branches[*number], Type::Null);
        let (nulls, others): (Vec<usize>, Vec<usize>) = (0..branches.len()).partition(is_null);
        let is_full = self.values == 0 || self.depth <= 1;
        let is_other = nulls.is_empty() || !is_full && self.rng.random_bool(self.persistence);
        let from = if is_other && !others.is_empty() { others } else { nulls };
        let number = *from.choose(self.rng).unwrap_or(&0);
        put_long(&mut self.out, i64::try_from(number).unwrap_or(0));
        self.value(&branches[number]);
    }
}
