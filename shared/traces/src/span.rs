//! A span that has begun.

use opentelemetry::trace::{Span as _, SpanContext, Status};
use opentelemetry::{KeyValue, Value};

use crate::context;

/// Represents a span that has begun. It ends when it is dropped.
#[derive(Debug)]
pub struct Span(opentelemetry_sdk::trace::Span);

impl Span {
    pub(crate) fn new(span: opentelemetry_sdk::trace::Span) -> Self {
        Self(span)
    }

    pub(crate) fn context(&self) -> &SpanContext {
        self.0.span_context()
    }

    /// Returns the header `traceparent` that names this span.
    pub fn traceparent(&self) -> String {
        context::header(self.context())
    }

    /// Sets an attribute.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.set_attribute(KeyValue::new(key, value));
    }

    /// Marks the operation as failed, with an error type from a closed set.
    pub fn failed(&mut self, error_type: &'static str) {
        self.set("error.type", error_type);
        self.0.set_status(Status::error(error_type));
    }
}
