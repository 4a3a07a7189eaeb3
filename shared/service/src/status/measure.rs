//! Computes figures and cells from the metrics of a registry. Pure.

use std::collections::BTreeMap;

use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::document::Cell;
use super::layout::{Measure, Parts, Series, Show, Which};

/// A reading for one figure: its value, or for a histogram the number of observations up to each upper bound.
pub(super) type Reading = Vec<(f64, f64)>;

/// Reads the values for `measure`; empty if the metric has no selected series.
pub(super) fn read(families: &[MetricFamily], measure: Measure) -> Reading {
    let values = of(families, measure.series()).map(|(kind, metric)| value(kind, metric));
    let single = match measure {
        Measure::Max(_) => values.reduce(f64::max),
        Measure::Sum(_) | Measure::PerSecond(_) | Measure::PerMinute(_) => values.reduce(|a, b| a + b),
        Measure::Within99(series) => return histogram(families, series),
    };
    single.map(|value| (0.0, value)).into_iter().collect()
}

/// Returns the figure from the readings `before` and `now`, `seconds` apart; NaN if it is unknown.
pub(super) fn figure(measure: Measure, before: &[(f64, f64)], now: &[(f64, f64)], seconds: f64) -> f64 {
    let value = |reading: &[(f64, f64)]| reading.first().map(|(_, value)| *value);
    let rise = || Some((value(now)? - value(before)?).max(0.0) / seconds);
    let figure = match measure {
        Measure::Sum(_) | Measure::Max(_) => value(now),
        Measure::PerSecond(_) => rise(),
        Measure::PerMinute(_) => rise().map(|rise| rise * 60.0),
        Measure::Within99(_) => quantile(0.99, before, now),
    };
    figure.filter(|figure| figure.is_finite()).unwrap_or(f64::NAN)
}

/// Returns the rows of `parts` by the value of its label, each with its cells in the order of the columns.
pub(super) fn rows(families: &[MetricFamily], parts: &Parts) -> BTreeMap<String, Vec<Option<Cell>>> {
    let mut rows: BTreeMap<String, Vec<Option<Cell>>> = BTreeMap::new();
    for (number, column) in parts.columns.iter().enumerate() {
        let mut series: BTreeMap<&str, Vec<(f64, &Metric)>> = BTreeMap::new();
        for (kind, metric) in of(families, super::layout::all(column.metric)) {
            if let Some(name) = label(metric, parts.label) {
                series.entry(name).or_default().push((value(kind, metric), metric));
            }
        }
        for (name, series) in series {
            let row = rows.entry(name.to_owned()).or_insert_with(|| vec![None; parts.columns.len()]);
            if let Some(cell) = row.get_mut(number) {
                *cell = Some(self::cell(column.show, &series));
            }
        }
    }
    rows
}

fn cell(show: Show, series: &[(f64, &Metric)]) -> Cell {
    let values = series.iter().map(|(value, _)| *value);
    match show {
        Show::Sum(unit) => Cell::Number { value: values.sum(), unit },
        Show::Max(unit) => Cell::Number { value: values.fold(f64::MIN, f64::max), unit },
        Show::Word(words) => {
            let place = values.fold(0.0, f64::max) as usize;
            Cell::Text(words.get(place).copied().unwrap_or("?").to_owned())
        }
        Show::Label(name) => {
            let set = series.iter().filter(|(value, _)| *value != 0.0);
            let names: Vec<&str> = set.filter_map(|(_, metric)| label(metric, name)).collect();
            Cell::Text(if names.is_empty() { "-".to_owned() } else { names.join(", ") })
        }
    }
}

fn of(families: &[MetricFamily], wanted: Series) -> impl Iterator<Item = (MetricType, &Metric)> {
    let family = families.iter().filter(move |family| family.name() == wanted.metric);
    let all = family.flat_map(|family| family.get_metric().iter().map(|metric| (family.get_field_type(), metric)));
    all.filter(move |(_, metric)| match wanted.which {
        Which::All => true,
        Which::Only(name, value) => label(metric, name) == Some(value),
        Which::Except(name, value) => label(metric, name) != Some(value),
    })
}

fn label<'a>(metric: &'a Metric, name: &str) -> Option<&'a str> {
    metric.get_label().iter().find(|label| label.name() == name).map(|label| label.value())
}

fn value(kind: MetricType, metric: &Metric) -> f64 {
    match kind {
        MetricType::COUNTER => metric.get_counter().get_value(),
        MetricType::GAUGE => metric.get_gauge().get_value(),
        MetricType::HISTOGRAM => metric.get_histogram().get_sample_count() as f64,
        MetricType::SUMMARY | MetricType::UNTYPED => f64::NAN,
    }
}

/// Adds up the histograms of all selected series. They have the same bounds, since they belong to one metric.
fn histogram(families: &[MetricFamily], series: Series) -> Reading {
    let mut sum = Reading::new();
    for (_, metric) in of(families, series) {
        let histogram = metric.get_histogram();
        let buckets = histogram.get_bucket().iter().map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()));
        let all = std::iter::once((f64::INFINITY, histogram.get_sample_count()));
        for (number, (bound, count)) in buckets.chain(all).enumerate() {
            match sum.get_mut(number) {
                Some((_, total)) => *total += count as f64,
                None => sum.push((bound, count as f64)),
            }
        }
    }
    sum
}

/// Returns the quantile `q` of the observations since `before`, estimated like Prometheus' function
/// `histogram_quantile`.
fn quantile(q: f64, before: &[(f64, f64)], now: &[(f64, f64)]) -> Option<f64> {
    let counted = |number: usize| before.get(number).map_or(0.0, |(_, count)| *count);
    let rises = now.iter().enumerate().map(|(number, (bound, count))| (*bound, count - counted(number)));
    let total = rises.clone().next_back().map(|(_, count)| count).filter(|count| *count > 0.0)?;
    let rank = q * total;
    let mut below = (0.0, 0.0);
    for (bound, count) in rises {
        if count >= rank {
            // Above the highest finite bound, the value is unknown.
            let is_known = bound.is_finite() && count > below.1;
            return Some(if is_known {
                below.0 + (bound - below.0) * (rank - below.1) / (count - below.1)
            } else {
                below.0
            });
        }
        below = (bound, count);
    }
    None
}

#[cfg(test)]
mod tests;
