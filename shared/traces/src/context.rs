//! The header `traceparent` (W3C Trace Context, section 3.2). Pure.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The length of the header in version 00; later versions may append to it.
const LEN: usize = 55;

/// What a header says of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    trace: TraceId,
    span: SpanId,
    flags: TraceFlags,
}

impl Traceparent {
    /// Reads `header`: version, trace id, parent id and flags in lower-case hexadecimal, with dashes between them. None
    /// where it is not well-formed: version `ff` and ids of nothing but zeros are not valid, and only versions after 00
    /// may be longer.
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
        // Of the flags, only that one has a meaning in version 00.
        (is_whole && is_valid).then(|| Self { trace, span, flags: TraceFlags::new(flags) & TraceFlags::SAMPLED })
    }

    /// Returns whether the sender exports the trace.
    pub fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    /// Returns the span that it names, of another process.
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
