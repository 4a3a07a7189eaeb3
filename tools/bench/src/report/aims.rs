//! The aims of each line. `docs/benchmarks.md` explains the numbers.

use std::fmt;

use serde::Serialize;

use super::super::number::short;
use super::{Line, Summary};

/// One aim.
struct Aim {
    line: Line,
    what: &'static str,
    measured: fn(&Summary) -> Option<f64>,
    bound: Bound,
}

/// The good side of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// An aim with the measured value.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verdict {
    line: Line,
    what: &'static str,
    aim: Bound,
    measured: f64,
    met: bool,
}

const AIMS: [Aim; 15] = [
    Aim {
        line: Line::Indexer,
        what: "CPU time, × floor",
        measured: |summary| summary.cpu_ratio,
        bound: Bound::AtMost(1.7),
    },
    Aim {
        line: Line::Indexer,
        what: "CPU seconds per million events",
        measured: |summary| Some(summary.cpu_seconds_per_million),
        bound: Bound::AtMost(3.0),
    },
    Aim {
        line: Line::Indexer,
        what: "events a second",
        measured: |summary| Some(summary.events_per_second),
        bound: Bound::AtLeast(450_000.0),
    },
    Aim {
        line: Line::Indexer,
        what: "peak memory, MiB",
        measured: |summary| summary.peak_mib,
        bound: Bound::AtMost(128.0),
    },
    Aim {
        line: Line::IndexerLarge,
        what: "CPU time, × floor",
        measured: |summary| summary.cpu_ratio,
        bound: Bound::AtMost(3.0),
    },
    Aim {
        line: Line::IntoElasticsearch,
        what: "rate, × prepared bulk bodies",
        measured: |summary| summary.rate_ratio,
        bound: Bound::AtLeast(0.95),
    },
    Aim {
        line: Line::Receiver,
        what: "CPU time, × axum at that rate",
        measured: |summary| summary.cpu_ratio,
        bound: Bound::AtMost(2.3),
    },
    Aim {
        line: Line::Receiver,
        what: "requests a second",
        measured: |summary| Some(summary.events_per_second),
        bound: Bound::AtLeast(22_000.0),
    },
    Aim {
        line: Line::Receiver,
        what: "99th percentile, ms",
        measured: |summary| summary.p99_ms,
        bound: Bound::AtMost(6.0),
    },
    Aim {
        line: Line::ReceiverCrowd,
        what: "CPU seconds per million events",
        measured: |summary| Some(summary.cpu_seconds_per_million),
        bound: Bound::AtMost(35.0),
    },
    Aim {
        line: Line::ReceiverCrowd,
        what: "requests a second",
        measured: |summary| Some(summary.events_per_second),
        bound: Bound::AtLeast(28_000.0),
    },
    Aim {
        line: Line::ReceiverCalm,
        what: "CPU seconds per million events",
        measured: |summary| Some(summary.cpu_seconds_per_million),
        bound: Bound::AtMost(250.0),
    },
    Aim { line: Line::ReceiverCalm, what: "median, ms", measured: |summary| summary.p50_ms, bound: Bound::AtMost(1.0) },
    Aim {
        line: Line::ReceiverFiles,
        what: "CPU seconds per million events",
        measured: |summary| Some(summary.cpu_seconds_per_million),
        bound: Bound::AtMost(2.0),
    },
    Aim {
        line: Line::Avro,
        what: "events a second, × apache-avro",
        measured: |summary| Some(1.0 / summary.cpu_ratio?),
        bound: Bound::AtLeast(8.0),
    },
];

/// Returns the aims of `line` with its medians.
pub(super) fn verdicts(line: Line, summary: &Summary) -> Vec<Verdict> {
    let aims = AIMS.iter().filter(|aim| aim.line == line);
    let verdict = |aim: &Aim| {
        let measured = (aim.measured)(summary)?;
        Some(Verdict { line, what: aim.what, aim: aim.bound, measured, met: aim.bound.is_met(measured) })
    };
    aims.filter_map(verdict).collect()
}

impl Bound {
    fn is_met(self, measured: f64) -> bool {
        match self {
            Self::AtMost(bound) => measured <= bound,
            Self::AtLeast(bound) => measured >= bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {}", short(*bound)),
            Self::AtLeast(bound) => write!(f, "≥ {}", short(*bound)),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (aim, measured) = (self.aim.to_string(), short(self.measured));
        let met = if self.met { "met" } else { "not met" };
        write!(f, "{:<38}{:<34}{aim:>13}{measured:>13}   {met}", self.line.name(), self.what)
    }
}
