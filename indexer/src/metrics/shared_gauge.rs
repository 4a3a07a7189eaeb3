//! A gauge of one topic with several parts, one for each index set.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::{Atomic, GenericGauge};

/// A gauge with several parts. Each part has its own value, and the gauge shows one value for all of them.
#[derive(Debug)]
pub struct SharedGauge<P: Atomic> {
    gauge: GenericGauge<P>,
    parts: Arc<Mutex<Vec<Option<P::T>>>>,
    part: usize,
    whole: fn(P::T, P::T) -> P::T,
}

impl<P: Atomic> SharedGauge<P> {
    /// Returns the first part of `gauge`. The gauge shows the values of all parts, combined by `whole`.
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

    /// Returns the value that the gauge shows.
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
