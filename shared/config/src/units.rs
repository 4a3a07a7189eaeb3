//! Serialisation of values with a unit.

/// Serialises a number of bytes: `5MiB`, `1GB` (SI: a thousand), or the plain number.
pub mod size {
    use std::fmt;

    use bytesize::ByteSize;
    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    struct Size;

    impl Visitor<'_> for Size {
        type Value = ByteSize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a size such as 5MiB, 1GB or 4096 (bytes)")
        }

        fn visit_u64<E: Error>(self, bytes: u64) -> Result<ByteSize, E> {
            Ok(ByteSize(bytes))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
            text.trim().parse().map_err(|_| E::invalid_type(serde::de::Unexpected::Other("text"), &self))
        }
    }

    /// Reads a size.
    ///
    /// # Errors
    /// If the value is not a size.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
        deserializer.deserialize_any(Size)
    }

    /// Writes a size so that it reads back unchanged: in whole KiB, MiB or GiB, or in bytes.
    ///
    /// # Errors
    /// If the serialiser fails.
    pub fn serialize<S: Serializer>(size: &ByteSize, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = size.as_u64();
        for (unit, name) in [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
            if bytes > 0 && bytes.is_multiple_of(unit) {
                return serializer.serialize_str(&format!("{}{name}", bytes / unit));
            }
        }
        serializer.serialize_u64(bytes)
    }
}
