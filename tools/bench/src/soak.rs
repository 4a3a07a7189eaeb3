//! A soak: the whole pipeline under load for a long time, with a fault every minute and an audit at the end.
//!
//! It is a run of chaos (`harness::chaos`) with another schedule. The services are looked at all the time, and what they
//! hold is drawn: memory, open files and threads must not grow.

use std::fmt::Write;
use std::time::Duration;

use anyhow::Context;
use harness::chaos::observe::Held;
use harness::chaos::run::Run;
use harness::chaos::schedule::{SERVICES, one_a_minute};
use harness::held::Resources;
use harness::paths;
use serde_json::json;

use super::output;
use super::plot::{self, Axis, Panel, Picture};

/// Says how long, how fast, and with which faults.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(id = "soak")]
pub(super) struct Options {
    /// Minutes of a soak.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Events per second of a soak.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    per_second: u64,
    /// The seed of a soak: of its faults and its events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A quantity that is drawn.
struct Quantity {
    title: &'static str,
    of: fn(&Resources) -> f64,
}

/// The quantities, one panel each.
const QUANTITIES: [Quantity; 3] = [
    Quantity { title: "memory, MiB", of: |held| held.resident_bytes as f64 / f64::from(1 << 20) },
    Quantity { title: "open files", of: |held| held.open_files as f64 },
    Quantity { title: "threads", of: |held| held.threads as f64 },
];

/// Runs the soak, and writes what the services held as JSON and as a picture. Returns a summary.
///
/// # Errors
/// If something does not recover, or the audit has findings.
pub(super) async fn run(options: &Options) -> anyhow::Result<String> {
    let Options { minutes, per_second, seed } = *options;
    let duration = Duration::from_secs(minutes * 60);
    let steps = one_a_minute(seed, duration);
    let held = Run { seed, steps, duration, per_second }.make("soak").await?;
    let (json, picture) =
        (paths::in_repository("target/bench/soak.json"), paths::in_repository("target/bench/soak.svg"));
    output::write(&json, &(serde_json::to_string(&held.iter().map(entry).collect::<Vec<_>>())? + "\n"))?;
    output::write(&picture, &plot::svg(&draw(&held))?)?;
    let summary = summary(&held).context("the services were never observed")?;
    Ok(format!("{summary}\nThe same as JSON: {}\nPicture: {}", json.display(), picture.display()))
}

fn entry(held: &Held) -> serde_json::Value {
    let Held { at, service, process, resources } = held;
    json!({"seconds": at.as_secs(), "service": name(*service), "process": process, "holds": resources})
}

/// Returns the name of the service with this number among all of them.
fn name(service: usize) -> String {
    match service.checked_sub(SERVICES) {
        None => format!("receiver {}", service + 1),
        Some(indexer) => format!("indexer {}", indexer + 1),
    }
}

fn draw(held: &[Held]) -> Picture {
    let panel = |quantity: &Quantity| {
        let minutes = |held: &Held| held.at.as_secs_f64() / 60.0;
        let line = |service| {
            let of_service = held.iter().filter(|held| held.service == service);
            of_service.map(|held| (minutes(held), (quantity.of)(&held.resources))).collect()
        };
        Panel {
            title: quantity.title.to_owned(),
            unit: "minutes".to_owned(),
            x: Axis::of_values(&held.iter().map(minutes).collect::<Vec<_>>()),
            y: Axis::of_values(&held.iter().map(|held| (quantity.of)(&held.resources)).collect::<Vec<_>>()),
            lines: (0..2 * SERVICES).map(line).collect(),
            radius: 0,
        }
    };
    Picture { names: (0..2 * SERVICES).map(name).collect(), panels: QUANTITIES.iter().map(panel).collect() }
}

/// Returns a table: for each service the number of its processes, and for each quantity the median of the second and of
/// the last tenth of the time, and the highest value. Returns `None` if nothing was observed.
fn summary(held: &[Held]) -> Option<String> {
    let end = held.iter().map(|held| held.at).max()?;
    let mut text = format!("{:<12}{:>10}", "", "processes");
    for quantity in &QUANTITIES {
        write!(text, "{:>32}", format!("{}: early, late, most", quantity.title)).ok()?;
    }
    for service in 0..2 * SERVICES {
        let of_service: Vec<&Held> = held.iter().filter(|held| held.service == service).collect();
        let mut processes: Vec<u32> = of_service.iter().map(|held| held.process).collect();
        processes.dedup();
        write!(text, "\n{:<12}{:>10}", name(service), processes.len()).ok()?;
        for quantity in &QUANTITIES {
            let between = |from: Duration, to: Duration| {
                let times = of_service.iter().filter(|held| held.at >= from && held.at <= to);
                median(times.map(|held| (quantity.of)(&held.resources)).collect())
            };
            let (early, late) = (between(end / 10, end / 5), between(end * 9 / 10, end));
            let most = of_service.iter().map(|held| (quantity.of)(&held.resources)).fold(0.0, f64::max);
            write!(text, "{:>32}", format!("{early:.0} {late:.0} {most:.0}")).ok()?;
        }
    }
    Some(text)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;
