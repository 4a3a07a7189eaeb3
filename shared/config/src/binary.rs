//! The config of one binary.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::check::{Problem, Problems};

/// Describes the config of one binary: the sections that it reads of the file that both binaries share.
pub trait BinaryConfig: Serialize + DeserializeOwned {
    /// The name of the other binary.
    const OTHER: &'static str;
    /// The top-level keys that only the other binary reads. Nothing below them is read or checked, so variables with
    /// the other binary's secrets need not be set.
    const LEFT: &'static [&'static str];

    /// Adds the problems that the types of the values cannot rule out.
    fn check(&self, problems: &mut Problems);
}

/// Returns every problem with `config`, or nothing if it is valid. Opens each file of secrets that the config names, to
/// check that it can be read.
pub fn check(config: &impl BinaryConfig) -> Vec<Problem> {
    let mut problems = Problems::default();
    config.check(&mut problems);
    problems.0
}
