//! Samples of the figures: one ring of fixed size per figure.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use prometheus::proto::MetricFamily;

use super::document::Cell;
use super::layout::Layout;
use super::measure::{self, Reading};

/// The time between two samples.
pub(super) const PERIOD: Duration = Duration::from_secs(5);
/// The number of samples of each figure: 15 minutes.
pub(super) const SAMPLES: usize = 180;

/// Holds the samples of one service. [`History::take`] adds one.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The samples of each figure, in the order of [`Layout::figures`]; NaN where the value is unknown.
    rings: Vec<VecDeque<f64>>,
    /// The last reading for each figure.
    readings: Vec<Reading>,
    taken: Option<Instant>,
    rows: BTreeMap<String, Vec<Option<Cell>>>,
}

impl History {
    /// Takes a sample of `families`, which were gathered at `now`.
    pub(super) fn take(&mut self, layout: &Layout, families: &[MetricFamily], now: Instant) {
        let seconds = self.taken.map_or(0.0, |taken| now.saturating_duration_since(taken).as_secs_f64());
        for (number, (_, figure)) in layout.figures().enumerate() {
            if self.rings.len() <= number {
                self.rings.push(VecDeque::with_capacity(SAMPLES));
                self.readings.push(Reading::new());
            }
            let (Some(ring), Some(before)) = (self.rings.get_mut(number), self.readings.get_mut(number)) else {
                continue;
            };
            let reading = measure::read(families, figure.measure);
            if ring.len() == SAMPLES {
                ring.pop_front();
            }
            ring.push_back(measure::figure(figure.measure, before, &reading, seconds));
            *before = reading;
        }
        self.taken = Some(now);
        self.rows = measure::rows(families, &layout.parts);
    }

    /// Returns the samples of the figure with this number, newest last.
    pub(super) fn samples(&self, number: usize) -> Vec<Option<f64>> {
        let ring = self.rings.get(number).into_iter().flatten();
        ring.map(|value| value.is_finite().then_some(*value)).collect()
    }

    /// Returns the last sample of the figure with this number.
    pub(super) fn last(&self, number: usize) -> Option<f64> {
        self.rings.get(number)?.back().copied().filter(|value| value.is_finite())
    }

    /// Returns the rows of the table: for each row, its cells by column number.
    pub(super) fn rows(&self) -> &BTreeMap<String, Vec<Option<Cell>>> {
        &self.rows
    }
}
