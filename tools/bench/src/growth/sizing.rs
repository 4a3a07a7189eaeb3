//! How many receivers, indexers, partitions and MiB a rate of events needs, by the measured points. Pure.

use std::fmt::Write;

use serde::Serialize;

use super::point::{Point, Service};
use crate::number::exact;

/// The rates of the table, in events per second.
const RATES: [u64; 7] = [100, 1_000, 10_000, 20_000, 50_000, 100_000, 500_000];
/// The part of a measured rate that a service is planned for. The rest is for peaks and for catching up.
const PLANNED: f64 = 0.7;

/// What a rate needs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Need {
    /// Events per second, one in each request.
    pub(super) events_per_second: u64,
    /// Processes of the receiver.
    pub(super) receivers: u64,
    /// Processes of the indexer.
    pub(super) indexers: u64,
    /// Partitions of the topic.
    pub(super) partitions: u64,
    /// Busy cores of receivers and indexers together.
    pub(super) cores: f64,
    /// Memory of receivers and indexers together, in MiB.
    pub(super) mib: f64,
}

/// Returns the needs by `points`, which were measured with several numbers of partitions. Receiver and indexer count
/// with `usual` partitions or the number closest to it. Returns nothing if one of them was not measured.
pub(super) fn needs(points: &[Point], usual: u64) -> Vec<Need> {
    let of = |service: Service| points.iter().filter(move |point| point.service == service);
    let usual = |service: Service| of(service).min_by_key(|point| point.value.abs_diff(usual));
    let least = of(Service::Indexer).min_by_key(|point| point.value);
    let (Some(receiver), Some(indexer), Some(least)) = (usual(Service::Receiver), usual(Service::Indexer), least)
    else {
        return Vec::new();
    };
    // With the fewest partitions, a partition limits the indexer most.
    let per_partition = least.events_per_second / least.value as f64;
    let need = |rate: u64| {
        let (receivers, indexers) = (count(rate, receiver.events_per_second), count(rate, indexer.events_per_second));
        let cpu_seconds_per_million = receiver.cpu_seconds_per_million + indexer.cpu_seconds_per_million;
        let mib = |point: &Point| point.peak_mib.unwrap_or_default();
        Need {
            events_per_second: rate,
            receivers,
            indexers,
            partitions: count(rate, per_partition).max(indexers),
            cores: rate as f64 * cpu_seconds_per_million / 1e6,
            mib: receivers as f64 * mib(receiver) + indexers as f64 * mib(indexer),
        }
    };
    RATES.map(need).to_vec()
}

/// Returns how many units for `each` events per second a rate needs.
fn count(rate: u64, each: f64) -> u64 {
    (rate as f64 / (each * PLANNED).max(1.0)).ceil().max(1.0) as u64
}

/// Returns the needs as a table in Markdown.
pub(super) fn table(needs: &[Need]) -> String {
    let mut text = "| events/s | receivers | indexers | partitions | cores | MiB |\n".to_owned();
    text += "| --- | --- | --- | --- | --- | --- |\n";
    for need in needs {
        let Need { events_per_second, receivers, indexers, partitions, cores, mib } = *need;
        let rate = exact(events_per_second as f64);
        // Writing to a string does not fail.
        writeln!(text, "| {rate} | {receivers} | {indexers} | {partitions} | {cores:.2} | {} |", exact(mib.ceil()))
            .ok();
    }
    text
}

#[cfg(test)]
mod tests;
