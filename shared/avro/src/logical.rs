//! The effect of a logical type on its underlying type ("Logical Types" in the Avro specification 1.12). A logical type
//! that is unknown, does not fit its underlying type or lacks a property is ignored, as the specification requires: the
//! underlying type counts.

use super::SchemaError;
use super::node::{SchemaNode, Unit};
use super::raw::{Key, Object};

/// The largest scale of a decimal: each digit is printed, so a schema must not ask for millions.
const MAX_SCALE: u64 = 1_000;

/// Returns the node of the unnamed type `base` with the logical type of `object`, or `None` if there is no such type.
///
/// # Errors
/// If a decimal has too large a scale.
pub(super) fn primitive(base: &str, object: Option<&Object<'_>>) -> Result<Option<SchemaNode>, SchemaError> {
    let logical = object.and_then(|object| Some((object.text(Key::LogicalType)?, object)));
    let timestamp = |unit, utc| SchemaNode::Timestamp { unit, utc };
    Ok(Some(match (base, logical) {
        ("bytes", Some(("decimal", object))) => match decimal(object)? {
            Some(scale) => SchemaNode::Decimal { size: None, scale },
            None => SchemaNode::Bytes,
        },
        ("bytes", Some(("big-decimal", _))) => SchemaNode::BigDecimal,
        ("string", Some(("uuid", _))) => SchemaNode::UuidText,
        ("int", Some(("date", _))) => SchemaNode::Date,
        ("int", Some(("time-millis", _))) => SchemaNode::TimeMillis,
        ("long", Some(("time-micros", _))) => SchemaNode::TimeMicros,
        ("long", Some(("timestamp-millis", _))) => timestamp(Unit::Millis, true),
        ("long", Some(("timestamp-micros", _))) => timestamp(Unit::Micros, true),
        ("long", Some(("timestamp-nanos", _))) => timestamp(Unit::Nanos, true),
        ("long", Some(("local-timestamp-millis", _))) => timestamp(Unit::Millis, false),
        ("long", Some(("local-timestamp-micros", _))) => timestamp(Unit::Micros, false),
        ("long", Some(("local-timestamp-nanos", _))) => timestamp(Unit::Nanos, false),
        ("null", _) => SchemaNode::Null,
        ("boolean", _) => SchemaNode::Boolean,
        ("int", _) => SchemaNode::Int,
        ("long", _) => SchemaNode::Long,
        ("float", _) => SchemaNode::Float,
        ("double", _) => SchemaNode::Double,
        // The specification defines no uuid on bytes.
        ("bytes", _) => SchemaNode::Bytes,
        ("string", _) => SchemaNode::String,
        _ => return Ok(None),
    }))
}

/// Returns the node of a fixed of `size` bytes with the logical type of `object`.
///
/// # Errors
/// As for [`primitive`].
pub(super) fn fixed(size: usize, object: &Object<'_>) -> Result<SchemaNode, SchemaError> {
    Ok(match object.text(Key::LogicalType) {
        Some("decimal") => match decimal(object)? {
            Some(scale) => SchemaNode::Decimal { size: Some(size), scale },
            None => SchemaNode::Fixed { size },
        },
        Some("duration") if size == 12 => SchemaNode::Duration,
        Some("uuid") if size == 16 => SchemaNode::UuidFixed,
        _ => SchemaNode::Fixed { size },
    })
}

/// Returns the scale of a decimal, or `None` if the decimal is invalid: the precision must be at least 1, and the scale
/// at most the precision.
fn decimal(object: &Object<'_>) -> Result<Option<u16>, SchemaError> {
    let Some(precision) = object.number(Key::Precision) else { return Ok(None) };
    let scale = match object.get(Key::Scale) {
        None => 0,
        Some(_) => match object.number(Key::Scale) {
            Some(scale) => scale,
            None => return Ok(None),
        },
    };
    if precision == 0 || scale > precision {
        return Ok(None);
    }
    match u16::try_from(scale) {
        Ok(small) if scale <= MAX_SCALE => Ok(Some(small)),
        _ => Err(SchemaError(format!("a decimal's scale is {scale}, over {MAX_SCALE}"))),
    }
}
