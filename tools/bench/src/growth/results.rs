//! All measured curves, as text, as JSON, as pictures and in the document.

use std::fmt;
use std::path::Path;

use serde_json::{Value, json};

use super::curve::Curve;
use super::document;
use super::picture;
use super::point::Measured;
use super::sizing::{self, Need};
use crate::machine::Machine;
use crate::{output, plot};
use harness::event::now;

/// Holds the measured curves.
#[derive(Debug)]
pub(super) struct Results {
    started_at: i64,
    machine: Machine,
    /// The partitions that a topic usually has.
    usual_partitions: u64,
    curves: Vec<Measured>,
}

impl Results {
    /// Creates results without curves. They describe the machine's state, so create them before anything runs.
    pub(super) fn new(usual_partitions: u64) -> Self {
        Self { started_at: now(), machine: Machine::look(), usual_partitions, curves: Vec::new() }
    }

    /// Adds a curve.
    pub(super) fn add(&mut self, curve: Measured) {
        self.curves.push(curve);
    }

    /// Writes the results as JSON to the file `json`, and a picture of each curve into the folder `pictures`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn write(&self, json: &Path, pictures: &Path) -> anyhow::Result<()> {
        output::write(json, &(serde_json::to_string_pretty(&self.json())? + "\n"))?;
        for curve in &self.curves {
            output::write(&pictures.join(document::file_name(curve)), &plot::svg(&picture::of(curve))?)?;
        }
        Ok(())
    }

    /// Writes the pictures' links and the table of sizes into `document`. The pictures are in the folder `pictures`, as
    /// seen from the document.
    ///
    /// # Errors
    /// If the document cannot be read or written, or has no place for them.
    pub(super) fn write_into(&self, document: &Path, pictures: &str) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(document)?;
        let text = document::with_results(&text, &self.machine, &self.curves, &self.needs(), pictures)?;
        output::write(document, &text)
    }

    fn json(&self) -> Value {
        json!({
            "started_at_ms": self.started_at,
            "machine": self.machine,
            "curves": self.curves.iter().map(curve_as_json).collect::<Vec<_>>(),
            "sizing": self.needs(),
        })
    }

    /// Returns what rates need. Nothing if the curve of partitions was not measured.
    fn needs(&self) -> Vec<Need> {
        let partitions = self.curves.iter().find(|curve| curve.curve == Curve::Partitions);
        partitions.map_or_else(Vec::new, |curve| sizing::needs(&curve.points, self.usual_partitions))
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.machine)?;
        for curve in &self.curves {
            writeln!(f, "{curve}")?;
        }
        let needs = self.needs();
        if !needs.is_empty() {
            writeln!(f, "{}", sizing::table(&needs))?;
        }
        Ok(())
    }
}

fn curve_as_json(Measured { curve, points }: &Measured) -> Value {
    json!({"curve": curve.name(), "unit": curve.unit(), "bent_by": curve.hint(), "points": points})
}

#[cfg(test)]
mod tests;
