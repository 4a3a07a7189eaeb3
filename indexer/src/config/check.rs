//! What the values of the indexer's sections must fulfil beyond their types.
//!
//! A rule goes into the module of the section whose concern it is; a rule about two sections into the one that suffers.
//! No message repeats a value that may be a secret.

use config::check::Problems;

use super::Config;
use names::Names;

mod elasticsearch;
mod indexer;
mod lifecycle;
mod names;
mod placement;
mod routes;
mod topics;

/// Adds all that is wrong with `config`, apart from the sections that the receiver reads too.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    if config.indexer.topics.is_empty() {
        elasticsearch::check(&config.elasticsearch, problems);
        placement::check(&config.elasticsearch, problems);
        routes::check(&config.elasticsearch, problems);
        let mut names = Names::default();
        names.add(config, &"elasticsearch.index_name", &"elasticsearch.routes");
        names.check(problems);
        lifecycle::check(config, problems);
    } else {
        topics::check(config, problems);
    }
    indexer::check(config, problems);
}

#[cfg(test)]
mod tests;
