//! Checks of the receiver's sections beyond their types.
//!
//! A rule belongs in the module of its section. A rule about two sections belongs in the module of the section that
//! would suffer. A message never repeats a value that may be a secret.

use config::check::Problems;

use super::Config;

mod cxone;
mod receiver;

/// Adds all problems of `config`, except those in sections that the indexer reads too.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    receiver::check(config, problems);
    cxone::check(config, problems);
}

#[cfg(test)]
mod tests;
