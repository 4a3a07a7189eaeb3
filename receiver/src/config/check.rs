//! What the values of the receiver's sections must fulfil beyond their types.
//!
//! A rule goes into the module of the section whose concern it is; a rule about two sections into the one that suffers.
//! No message repeats a value that may be a secret.

use config::check::Problems;

use super::Config;

mod cxone;
mod receiver;

/// Adds all that is wrong with `config`, apart from the sections that the indexer reads too.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    receiver::check(config, problems);
    cxone::check(config, problems);
}

#[cfg(test)]
mod tests;
