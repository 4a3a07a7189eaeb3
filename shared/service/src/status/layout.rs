//! What a service declares of itself: the picture of its flow, the figures in it, and the table of its parts. All of it
//! is constant; each figure is taken from a metric that is registered anyway.

use serde::{Deserialize, Serialize};

/// What the page of one service shows.
#[derive(Debug)]
pub struct Layout {
    /// `receiver` or `indexer`.
    pub service: &'static str,
    /// The version of the build.
    pub version: &'static str,
    /// The flow, from the senders to the index.
    pub nodes: &'static [Node],
    /// The table below it.
    pub parts: Parts,
}

/// One box of the picture.
#[derive(Debug)]
pub struct Node {
    /// Its heading.
    pub name: &'static str,
    /// Whose box it is.
    pub role: Role,
    /// The conditions of the readiness that tell its state. One of several topics, `NAME of TOPIC`, counts too.
    pub conditions: &'static [&'static str],
    /// The figures in it.
    pub figures: &'static [Figure],
    /// Boxes that hang on this one beside the flow.
    pub beside: &'static [Node],
}

/// Whose box a [`Node`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The service that shows the page.
    Here,
    /// A neighbour of it, as this service sees it.
    Seen,
    /// A part of the flow that this service does not see, with what is said of it.
    Away(&'static str),
}

/// One figure.
#[derive(Debug)]
pub struct Figure {
    /// Its name in `/status.json`; no other figure of the service has it.
    pub key: &'static str,
    /// What it is called in the picture.
    pub label: &'static str,
    /// What its plot is called; none: it has no plot.
    pub plot: Option<&'static str>,
    /// Its unit.
    pub unit: Unit,
    /// What it is taken from.
    pub measure: Measure,
}

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number of things.
    Count,
    /// Things in a second.
    PerSecond,
    /// Things in a minute.
    PerMinute,
    /// A time in seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// How a figure follows from a metric, over all series of it that are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// The sum of all series.
    Sum(Series),
    /// The highest of all series.
    Max(Series),
    /// How much the sum has risen since the sample before, in a second.
    PerSecond(Series),
    /// The same in a minute.
    PerMinute(Series),
    /// The time within which 99 of 100 were done since the sample before, from a histogram.
    Within99(Series),
}

/// The wanted series of a metric.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The name of the metric.
    pub metric: &'static str,
    /// Which of its series are wanted.
    pub which: Which,
}

/// Which series of a metric are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// All.
    All,
    /// Those whose label has the value.
    Only(&'static str, &'static str),
    /// Those whose label has another value.
    Except(&'static str, &'static str),
}

/// A table with a row for each value of a label: each topic, each source.
#[derive(Debug)]
pub struct Parts {
    /// Its heading.
    pub title: &'static str,
    /// The label.
    pub label: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
}

/// One column of [`Parts`].
#[derive(Debug)]
pub struct Column {
    /// Its heading.
    pub name: &'static str,
    /// The metric that it shows.
    pub metric: &'static str,
    /// How it shows it.
    pub show: Show,
}

/// How a [`Column`] shows the series of one row.
#[derive(Clone, Copy, Debug)]
pub enum Show {
    /// Their sum.
    Sum(Unit),
    /// The highest of them.
    Max(Unit),
    /// The word at the place that the highest is: 0 is the first one.
    Word(&'static [&'static str]),
    /// The values of this label of those that are not 0; `-` where there are none.
    Label(&'static str),
}

/// All series of a metric.
pub const fn all(metric: &'static str) -> Series {
    Series { metric, which: Which::All }
}

/// Returns the series of `metric` whose `label` is `value`.
pub const fn only(metric: &'static str, label: &'static str, value: &'static str) -> Series {
    Series { metric, which: Which::Only(label, value) }
}

/// Returns the series of `metric` whose `label` is not `value`.
pub const fn except(metric: &'static str, label: &'static str, value: &'static str) -> Series {
    Series { metric, which: Which::Except(label, value) }
}

impl Layout {
    /// Returns all figures with the names of their boxes, in the order of the flow.
    pub fn figures(&self) -> impl Iterator<Item = (&'static str, &'static Figure)> {
        let boxes = self.nodes.iter().flat_map(|node| std::iter::once(node).chain(node.beside));
        boxes.flat_map(|node| node.figures.iter().map(move |figure| (node.name, figure)))
    }

    /// Returns the names of all metrics that the page shows.
    pub fn metrics(&self) -> impl Iterator<Item = &'static str> {
        let shown = self.figures().map(|(_, figure)| figure.measure.series().metric);
        shown.chain(self.parts.columns.iter().map(|column| column.metric))
    }
}

impl Measure {
    pub(super) fn series(self) -> Series {
        match self {
            Self::Sum(series)
            | Self::Max(series)
            | Self::PerSecond(series)
            | Self::PerMinute(series)
            | Self::Within99(series) => series,
        }
    }
}
