//! Parses ages and sizes in Elasticsearch's notation.

/// The units of an age, in nanoseconds (Elasticsearch reference, "Time units").
const AGES: [(&str, u128); 7] = [
    ("nanos", 1),
    ("micros", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// The units of a size, in bytes (Elasticsearch reference, "Byte size units").
const SIZES: [(&str, u128); 6] =
    [("b", 1), ("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("tb", 1 << 40), ("pb", 1 << 50)];

/// The largest value that Elasticsearch can hold, in nanoseconds or bytes.
const MAX: u128 = i64::MAX as u128;

/// Parses an age, in nanoseconds.
pub(super) fn age(text: &str) -> Result<u128, String> {
    parse(text, &AGES)
        .ok_or_else(|| format!("{text:?} is not an age: give a whole number and a unit: ms, s, m, h or d, such as 7d"))
}

/// Parses a size, in bytes.
pub(super) fn size(text: &str) -> Result<u128, String> {
    parse(text, &SIZES).ok_or_else(|| {
        format!("{text:?} is not a size: give a whole number and a unit: b, kb, mb, gb or tb, such as 50gb")
    })
}

fn parse(text: &str, units: &[(&str, u128)]) -> Option<u128> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok().map(|number| u128::from(number) * factor).filter(|value| *value <= MAX)
}
