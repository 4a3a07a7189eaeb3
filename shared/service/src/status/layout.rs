//! The declaration of a status page: the picture of the flow, its figures, and the table of parts. All of it is
//! constant; each figure comes from a metric that is already registered.

use serde::{Deserialize, Serialize};

/// Describes the status page of one service.
#[derive(Debug)]
pub struct Layout {
    /// `receiver` or `indexer`.
    pub service: &'static str,
    /// The version of the build.
    pub version: &'static str,
    /// The flow, from the senders to the index.
    pub nodes: &'static [Node],
    /// The table below the picture.
    pub parts: Parts,
}

/// One box of the picture.
#[derive(Debug)]
pub struct Node {
    /// Its heading.
    pub name: &'static str,
    /// How this service relates to the box.
    pub role: Role,
    /// The conditions of readiness that determine its state. A condition for one topic, `NAME of TOPIC`, counts too.
    pub conditions: &'static [&'static str],
    /// The figures in it.
    pub figures: &'static [Figure],
    /// Boxes attached to this one, outside the flow.
    pub beside: &'static [Node],
}

/// How the service relates to a [`Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A box of the service that shows the page.
    Here,
    /// A neighbour, as this service sees it.
    Seen,
    /// A part of the flow that this service does not see, with the text to show for it.
    Elsewhere(&'static str),
}

/// One figure.
#[derive(Debug)]
pub struct Figure {
    /// Its name in `/status.json`, unique within the service.
    pub key: &'static str,
    /// Its name in the picture.
    pub label: &'static str,
    /// The title of its plot; `None` if it has no plot.
    pub plot: Option<&'static str>,
    /// Its unit.
    pub unit: Unit,
    /// How it is derived from a metric.
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

/// How a figure is derived from the selected series of a metric.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// The sum of all series.
    Sum(Series),
    /// The highest of all series.
    Max(Series),
    /// The increase of the sum since the previous sample, per second.
    PerSecond(Series),
    /// The same, per minute.
    PerMinute(Series),
    /// The time within which 99 of 100 observations since the previous sample fall, from a histogram.
    Within99(Series),
}

/// Selects series of a metric.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The name of the metric.
    pub metric: &'static str,
    /// Which of its series are selected.
    pub which: Which,
}

/// Which series of a metric are selected.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// All.
    All,
    /// Those whose label has this value.
    Only(&'static str, &'static str),
    /// Those whose label has any other value.
    Except(&'static str, &'static str),
}

/// A table with one row per value of a label, for example per topic or source.
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
    /// The metric to show.
    pub metric: &'static str,
    /// How to show it.
    pub show: Show,
}

/// How a [`Column`] shows the series of one row.
#[derive(Clone, Copy, Debug)]
pub enum Show {
    /// Their sum.
    Sum(Unit),
    /// The highest value.
    Max(Unit),
    /// The word whose position in the list is the highest value: 0 is the first word.
    Word(&'static [&'static str]),
    /// The values of this label in all series that are not 0; `-` if there are none.
    Label(&'static str),
}

/// Returns all series of `metric`.
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
    /// Returns all figures with the names of their boxes, in flow order.
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
