//! The axes of a plot: their scale and their ticks. Pure.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// The ratio of the largest to the smallest value from which an axis is logarithmic.
const MOST_LINEAR: f64 = 20.0;
/// The most decades of an axis with ticks between the powers of ten.
const MOST_DECADES: i32 = 2;
/// The number of steps that a linear axis aims at.
const STEPS: f64 = 4.0;
/// The room before the first and after the last of the steps, as a factor.
const ROOM: f64 = 1.15;

/// An axis of a plot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    range: Range<f64>,
    is_logarithmic: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// Returns a logarithmic axis with a tick at each of `values`, which are above 0 and in ascending order.
    pub(crate) fn of_steps(values: &[f64]) -> Self {
        let (first, last) = (values.first().copied().unwrap_or(1.0), values.last().copied().unwrap_or(1.0));
        let mut ticks = values.to_vec();
        ticks.dedup();
        Self { range: first / ROOM..last * ROOM, is_logarithmic: true, ticks }
    }

    /// Returns an axis for all `values`: from 0, or logarithmic if they differ too much for that.
    pub(crate) fn of_values(values: &[f64]) -> Self {
        let highest = values.iter().copied().fold(0.0, f64::max);
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        if lowest > 0.0 && highest / lowest >= MOST_LINEAR {
            return Self::of_decades(lowest, highest);
        }
        let step = step(highest);
        let steps = (highest / step).ceil().max(1.0) as u32;
        let ticks: Vec<f64> = (0..=steps).map(|number| step * f64::from(number)).collect();
        Self { range: 0.0..step * f64::from(steps), is_logarithmic: false, ticks }
    }

    /// Returns a logarithmic axis of whole decades.
    fn of_decades(lowest: f64, highest: f64) -> Self {
        let (first, last) = (lowest.log10().floor() as i32, highest.log10().ceil() as i32);
        let multiples: &[f64] = if last - first <= MOST_DECADES { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks: Vec<f64> =
            (first..last).flat_map(|power| multiples.iter().map(move |it| it * 10_f64.powi(power))).collect();
        ticks.push(10_f64.powi(last));
        Self { range: 10_f64.powi(first)..10_f64.powi(last), is_logarithmic: true, ticks }
    }

    /// Returns where `value` is on the axis: 0 at its beginning, 1 at its end.
    fn share(&self, value: f64) -> f64 {
        let Range { start, end } = self.range;
        match self.is_logarithmic {
            true => (value.max(f64::MIN_POSITIVE) / start).ln() / (end / start).ln(),
            false => (value - start) / (end - start),
        }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (f64::from(to - from) * self.share(*value)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // There are no lines between the ticks.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// Returns a round number, of which about [`STEPS`] make `highest`.
fn step(highest: f64) -> f64 {
    if highest <= 0.0 {
        return 1.0;
    }
    let least = highest / STEPS;
    let power = 10_f64.powi(least.log10().floor() as i32);
    [1.0, 2.0, 2.5, 5.0]
        .map(|multiple| multiple * power)
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests;
