//! The header `traceparent` (W3C Trace Context, section 3.2). Pure.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The length of the header in version 00; later versions may append to it.
const LEN: usize = 55;

/// Holds the content of a `traceparent` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    trace: TraceId,
    span: SpanId,
    flags: TraceFlags,
}

impl Traceparent {
    /// Parses `header`: version, trace id, parent id and flags in lowercase hexadecimal, separated by dashes. Returns
    /// `None` if it is malformed: version `ff` and ids of only zeros are invalid, and only versions after 00 may be
    /// longer.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let header = std::str::from_utf8(header).ok()?;
        let (known, more) = header.split_at_checked(LEN)?;
        let mut parts = known.split('-');
        let version = hex(parts.next()?, 2)?;
        let trace = TraceId::from_hex(hex(parts.next()?, 32)?).ok()?;
        let span = SpanId::from_hex(hex(parts.next()?, 16)?).ok()?;
        let flags = u8::from_str_radix(hex(parts.next()?, 2)?, 16).ok()?;
        let is_whole = more.is_empty() || (version != "00" && more.starts_with('-'));
        let is_valid = version != "ff" && trace != TraceId::INVALID && span != SpanId::INVALID;
        // Version 00 defines only this flag.
        (is_whole && is_valid).then(|| Self { trace, span, flags: TraceFlags::new(flags) & TraceFlags::SAMPLED })
    }

    /// Returns whether the sender exports the trace.
    pub fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    /// Returns the span that the header names, as a span of another process.
    pub(crate) fn remote(self) -> SpanContext {
        SpanContext::new(self.trace, self.span, self.flags, true, TraceState::NONE)
    }
}

/// Returns the header that names the span of `context`.
pub(crate) fn header(context: &SpanContext) -> String {
    format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8())
}

fn hex(part: &str, len: usize) -> Option<&str> {
    let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && part.len() == len).then_some(part)
}

#[cfg(test)]
mod tests;
