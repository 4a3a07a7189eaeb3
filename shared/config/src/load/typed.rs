//! Turns nodes into the typed config, through serde.
//!
//! The expected type decides how a scalar is read: `12345` is a number where a number is expected, and text where text
//! is expected, quoted or not. So a password of digits needs no quotes. Problems are reported as [`ValueError`].

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

use super::ConfigError;
use super::node::{Key, Style, Value, YamlNode, join};
use super::yaml;
use failure::ValueError;

mod failure;
mod scalar;

/// Returns the config from `tree`. `left` are keys that the file may also have at its top level, for the message about
/// an unknown key.
///
/// # Errors
/// The first value that does not fit, with its key and its line or variable.
pub(super) fn config<T: DeserializeOwned>(tree: &YamlNode, left: &'static [&'static str]) -> Result<T, ConfigError> {
    let at = At { node: tree, path: String::new(), left };
    T::deserialize(at).map_err(|failure| ConfigError(failure.at(tree, "").to_string()))
}

/// A node and its key.
struct At<'n> {
    node: &'n YamlNode,
    path: String,
    /// The keys that the node may have in addition to those of its type.
    left: &'static [&'static str],
}

impl At<'_> {
    /// Returns the text of a scalar.
    fn text(&self, expected: &str) -> Result<&str, ValueError> {
        match &self.node.value {
            Value::Scalar { .. } if self.node.is_null() => {
                Err(ValueError::new(format!("has no value; give {expected}, or leave the key out")))
            }
            Value::Scalar { text, .. } => Ok(text),
            Value::List(_) | Value::Map(_) => Err(ValueError::must_be(expected)),
        }
    }

    /// Parses the value of an environment variable as YAML.
    fn reread(&self, expected: &str) -> Result<YamlNode, ValueError> {
        let Value::Scalar { text, style: Style::Variable } = &self.node.value else {
            return Err(ValueError::must_be(expected));
        };
        let super::node::Origin::Variable(name) = &self.node.origin else {
            return Err(ValueError::must_be(expected));
        };
        let node = yaml::parse_variable(name, text)
            .map_err(|_| ValueError::new(format!("must be {expected}, written as YAML on one line")))?;
        match node.value {
            Value::Scalar { .. } => Err(ValueError::new(format!("must be {expected}, written as YAML on one line"))),
            Value::List(_) | Value::Map(_) => Ok(node),
        }
    }

    fn visit_list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let expected = "a list";
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(Items { items: items.iter(), path: self.path }),
            _ if self.node.is_null() => visitor.visit_seq(Items { items: [].iter(), path: self.path }),
            Value::Scalar { text, style: Style::Variable } if !text.trim_start().starts_with('[') => {
                // A single value where a list is expected is a list with one item.
                let items = std::slice::from_ref(self.node).iter();
                visitor.visit_seq(Items { items, path: self.path })
            }
            Value::Scalar { .. } => {
                let node = self.reread(expected)?;
                let Value::List(items) = &node.value else {
                    return Err(ValueError::must_be(expected));
                };
                visitor.visit_seq(Items { items: items.iter(), path: self.path })
            }
            Value::Map(_) => Err(ValueError::must_be(expected)),
        }
    }

    fn visit_section<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let expected = "a section with keys";
        match &self.node.value {
            Value::Map(entries) => visitor.visit_map(Entries::new(entries, self.path, self.left)),
            // All keys of the section are commented out.
            _ if self.node.is_null() => visitor.visit_map(Entries::new(&[], self.path, self.left)),
            Value::Scalar { .. } => {
                let node = self.reread(expected)?;
                let Value::Map(entries) = &node.value else {
                    return Err(ValueError::must_be(expected));
                };
                visitor.visit_map(Entries::new(entries, self.path, self.left))
            }
            Value::List(_) => Err(ValueError::must_be(expected)),
        }
    }
}

/// The items of a list.
struct Items<'n> {
    items: std::slice::Iter<'n, YamlNode>,
    path: String,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ValueError> {
        let Some(node) = self.items.next() else {
            return Ok(None);
        };
        let at = At { node, path: self.path.clone(), left: &[] };
        seed.deserialize(at).map(Some).map_err(|failure| failure.at(node, &self.path))
    }
}

/// The keys and values of a map.
struct Entries<'n> {
    entries: std::slice::Iter<'n, (Key, YamlNode)>,
    value: Option<(&'n YamlNode, String)>,
    path: String,
    left: &'static [&'static str],
}

impl<'n> Entries<'n> {
    fn new(entries: &'n [(Key, YamlNode)], path: String, left: &'static [&'static str]) -> Self {
        Self { entries: entries.iter(), value: None, path, left }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ValueError> {
        let Some((key, node)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some((node, join(&self.path, &key.name)));
        let name: StrDeserializer<'_, ValueError> = key.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|failure| failure.at_key(key, &self.path, self.left))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ValueError> {
        let Some((node, path)) = self.value.take() else {
            return Err(ValueError::new("has no value".to_owned()));
        };
        let at = At { node, path: path.clone(), left: &[] };
        seed.deserialize(at).map_err(|failure| failure.at(node, &path))
    }
}

macro_rules! from_text {
    ($($method:ident => $visit:ident, $parse:path, $expected:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            let value = $parse(self.text($expected)?)
                .ok_or_else(|| ValueError::new(concat!("must be ", $expected).to_owned()))?;
            visitor.$visit(value)
        })*
    };
}

impl<'de> Deserializer<'de> for At<'_> {
    type Error = ValueError;

    from_text! {
        deserialize_bool => visit_bool, scalar::boolean, "true or false";
        deserialize_i8 => visit_i8, scalar::integer, "a whole number from -128 to 127";
        deserialize_i16 => visit_i16, scalar::integer, "a whole number from -32768 to 32767";
        deserialize_i32 => visit_i32, scalar::integer, "a whole number from -2147483648 to 2147483647";
        deserialize_i64 => visit_i64, scalar::integer, "a whole number";
        deserialize_u8 => visit_u8, scalar::integer, "a whole number from 0 to 255";
        deserialize_u16 => visit_u16, scalar::integer, "a whole number from 0 to 65535";
        deserialize_u32 => visit_u32, scalar::integer, "a whole number from 0 to 4294967295";
        deserialize_u64 => visit_u64, scalar::integer, "a whole number from 0 on";
        deserialize_f32 => visit_f32, scalar::float, "a number";
        deserialize_f64 => visit_f64, scalar::float, "a number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match &self.node.value {
            Value::List(_) => self.visit_list(visitor),
            Value::Map(_) => self.visit_section(visitor),
            Value::Scalar { .. } if self.node.is_null() => visitor.visit_unit(),
            // Serde asks for this for types that accept several forms, and for enums with `tag`: these may hold only
            // text.
            Value::Scalar { text, .. } => visitor.visit_str(text),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match &self.node.value {
            // A variable's value is text even if it is empty or the word null.
            Value::Scalar { text, .. } if self.node.is_from_variable() => visitor.visit_str(text),
            _ => visitor.visit_str(self.text("text")?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_list(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit_section(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.visit_section(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let name: StrDeserializer<'_, ValueError> = self.text("one word")?.into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

impl de::Error for ValueError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::foreign(&message.to_string())
    }

    // No message repeats the value: it may be a secret in the wrong place.

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::must_be(&expected.to_string())
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::must_be(&expected.to_string())
    }

    fn invalid_length(_: usize, expected: &dyn de::Expected) -> Self {
        Self::must_be(&expected.to_string())
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown_word(found, expected)
    }

    fn unknown_field(found: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown_key(found, expected)
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(format!("the key {name} is missing"))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::new(format!("the key {name} occurs twice"))
    }
}
