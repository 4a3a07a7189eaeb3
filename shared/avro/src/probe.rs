//! Checks whether a text is among the values that rules hide.

use super::hide::{Hide, text_of};
use super::json::JsonSink;
use super::node::Symbol;
use super::sink::{Scalar, Sink};
use super::text::{Escapes, Stored};

/// Writes the values of a walk, and inspects each hidden value before it is replaced.
#[derive(Debug)]
pub(super) struct Probe<'o, 't> {
    pub(super) json: JsonSink<'o>,
    /// The text to look for.
    pub(super) wanted: &'t [u8],
    pub(super) is_met: bool,
}

impl<'a> Sink<'a> for Probe<'_, '_> {
    fn raw(&mut self, json: &[u8]) {
        self.json.raw(json);
    }

    fn scalar(&mut self, value: Scalar<'a>) {
        self.json.scalar(value);
    }

    fn symbol(&mut self, symbol: &Symbol) {
        self.json.symbol(symbol);
    }

    fn key(&mut self, key: Stored<'a>) -> Result<Escapes, usize> {
        self.json.key(key)
    }

    fn mark(&mut self) -> usize {
        self.json.mark()
    }

    fn hide(&mut self, mark: usize, how: &Hide) {
        self.is_met |= *text_of(self.json.since(mark)) == *self.wanted;
        self.json.hide(mark, how);
    }
}
