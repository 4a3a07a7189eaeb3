//! The measured part of `docs/benchmarks.md`. Pure.

use anyhow::Context;

use super::point::Measured;
use super::sizing::{self, Need};
use crate::machine::Machine;

/// The line before the measured part.
const BEGIN: &str =
    "<!-- The rest of this section is measured: PENSTOCK_WRITE_DOCS=1 make bench BENCH_ARGS=\"--only growth\" -->\n";
/// The line after it.
const END: &str = "<!-- The end of what is measured. -->\n";

/// Returns `text`, the document, with the pictures of `curves` and the table of `needs` as its measured part. The
/// pictures are below `folder`.
///
/// # Errors
/// If the document has no place for them.
pub(super) fn with_results(
    text: &str,
    machine: &Machine,
    curves: &[Measured],
    needs: &[Need],
    folder: &str,
) -> anyhow::Result<String> {
    let (head, rest) = text.split_once(BEGIN).with_context(|| format!("there is no line {BEGIN}"))?;
    let (_, tail) = rest.split_once(END).with_context(|| format!("there is no line {END}"))?;
    let pictures: String = curves.iter().map(|curve| format!("\n{}\n", picture(curve, folder))).collect();
    let table = sizing::table(needs);
    Ok(format!("{head}{BEGIN}\nOne run on this machine: {machine}.\n{pictures}\n### Sizing\n\n{table}\n{END}{tail}"))
}

/// Returns the name of the file with the picture of `curve`.
pub(super) fn file_name(curve: &Measured) -> String {
    format!("growth-{}.svg", curve.curve.name())
}

fn picture(curve: &Measured, folder: &str) -> String {
    format!("![{}]({folder}/{})", curve.curve.unit(), file_name(curve))
}

#[cfg(test)]
mod tests;
