//! Checks the values of the indexer's sections beyond their types.
//!
//! A rule belongs to the module of its section. A rule about two sections belongs to the one that is harmed. No
//! message repeats a value that may be a secret.

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

/// Adds all problems of `config`, except for those in the sections that the receiver reads too.
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
