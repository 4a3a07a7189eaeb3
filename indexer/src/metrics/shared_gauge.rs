//! A gauge of one topic that is made of several parts, one an index set.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::{Atomic, GenericGauge};

/// A gauge that each of several parts sets to its own value, and that shows one value for all of them.
#[derive(Debug)]
pub struct SharedGauge<P: Atomic> {
    gauge: GenericGauge<P>,
    parts: Arc<Mutex<Vec<Option<P::T>>>>,
    part: usize,
    whole: fn(P::T, P::T) -> P::T,
}

impl<P: Atomic> SharedGauge<P> {
    /// Returns the first part of `gauge`, which shows what `whole` makes of the parts, two by two.
    pub(super) fn new(gauge: GenericGauge<P>, whole: fn(P::T, P::T) -> P::T) -> Self {
        Self { gauge, parts: Arc::default(), part: 0, whole }
    }

    /// Returns the part `part` of the same gauge. Until it is set, it does not count.
    pub(super) fn part(&self, part: usize) -> Self {
        Self { gauge: self.gauge.clone(), parts: Arc::clone(&self.parts), part, whole: self.whole }
    }

    /// Sets this part to `value`.
    pub fn set(&self, value: P::T) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.len() <= self.part {
            parts.resize(self.part + 1, None);
        }
        parts[self.part] = Some(value);
        if let Some(whole) = parts.iter().copied().flatten().reduce(self.whole) {
            self.gauge.set(whole);
        }
    }

    /// Returns what the gauge shows.
    pub fn get(&self) -> P::T {
        self.gauge.get()
    }
}

impl<P: Atomic> Clone for SharedGauge<P> {
    fn clone(&self) -> Self {
        self.part(self.part)
    }
}

#[cfg(test)]
mod tests;
