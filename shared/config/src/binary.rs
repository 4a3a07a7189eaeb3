//! What the config of a binary is.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::check::{Problem, Problems};

/// All that one binary reads of the file that serves both.
pub trait BinaryConfig: Serialize + DeserializeOwned {
    /// The name of the other binary.
    const OTHER: &'static str;
    /// The top-level keys that only the other binary reads. What is below them is neither read nor checked, so that a
    /// variable with the other's secret need not be set.
    const LEFT: &'static [&'static str];

    /// Adds all that is wrong with the values beyond their types.
    fn check(&self, problems: &mut Problems);
}

/// Returns everything that is wrong with `config`; empty when nothing is. Reads the files of secrets that the config
/// names, to see that they are there.
pub fn check(config: &impl BinaryConfig) -> Vec<Problem> {
    let mut problems = Problems::default();
    config.check(&mut problems);
    problems.0
}
