//! The text of a schema as JSON, reduced to what reading a datum needs. Defaults, documentation, orders and properties
//! are skipped while parsing, so they take no memory, and cannot make a schema unusable.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::SchemaError;

/// The deepest nesting of a text: parsing is recursive, and the JSON parser has the same limit.
const MAX_NESTING: usize = 128;

/// A value in a schema's text.
#[derive(Debug, PartialEq)]
pub(super) enum Raw<'j> {
    Text(Cow<'j, str>),
    Number(u64),
    List(Vec<Raw<'j>>),
    Object(Object<'j>),
    /// Null, a boolean, or a number that is not a count.
    Other,
}

/// A JSON object without the skipped keys.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Object<'j> {
    /// The entries, each key once.
    entries: Vec<(Key, Raw<'j>)>,
}

/// The relevant keys ("Schema Declaration" in the Avro specification 1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Type,
    Name,
    Namespace,
    Aliases,
    Fields,
    Items,
    Values,
    Symbols,
    Size,
    LogicalType,
    Precision,
    Scale,
    /// Any other.
    Skipped,
}

/// Parses the text of a schema.
///
/// # Errors
/// If it is not JSON, or nested too deep.
pub(super) fn parse(json: &str) -> Result<Raw<'_>, SchemaError> {
    let nesting = nesting(json);
    if nesting > MAX_NESTING {
        return Err(SchemaError(format!("nested {nesting} levels deep, over {MAX_NESTING}")));
    }
    serde_json::from_str(json).map_err(|error| SchemaError(format!("not JSON: {error}")))
}

/// Returns how deep the brackets of a JSON text are nested.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

impl<'j> Raw<'j> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Raw<'j>]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn object(&self) -> Option<&Object<'j>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl<'j> Object<'j> {
    pub(super) fn get(&self, key: Key) -> Option<&Raw<'j>> {
        self.entries.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub(super) fn text(&self, key: Key) -> Option<&str> {
        self.get(key).and_then(Raw::text)
    }

    pub(super) fn list(&self, key: Key) -> Option<&[Raw<'j>]> {
        self.get(key).and_then(Raw::list)
    }

    pub(super) fn number(&self, key: Key) -> Option<u64> {
        match self.get(key) {
            Some(Raw::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// Sets a value. If a key is repeated, the last value counts, as in other parsers.
    fn set(&mut self, key: Key, value: Raw<'j>) {
        match self.entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.entries.push((key, value)),
        }
    }
}

impl<'de: 'j, 'j> Deserialize<'de> for Raw<'j> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a schema")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Raw::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Raw::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Raw::Number(number))
    }

    fn visit_i64<E: Error>(self, _number: i64) -> Result<Self::Value, E> {
        Ok(Raw::Other)
    }

    fn visit_f64<E: Error>(self, _number: f64) -> Result<Self::Value, E> {
        Ok(Raw::Other)
    }

    fn visit_bool<E: Error>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(Raw::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Raw::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::Skipped => drop(map.next_value::<IgnoredAny>()?),
                key => object.set(key, map.next_value()?),
            }
        }
        Ok(Raw::Object(object))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
        Ok(match text {
            "type" => Key::Type,
            "name" => Key::Name,
            "namespace" => Key::Namespace,
            "aliases" => Key::Aliases,
            "fields" => Key::Fields,
            "items" => Key::Items,
            "values" => Key::Values,
            "symbols" => Key::Symbols,
            "size" => Key::Size,
            "logicalType" => Key::LogicalType,
            "precision" => Key::Precision,
            "scale" => Key::Scale,
            _ => Key::Skipped,
        })
    }
}
