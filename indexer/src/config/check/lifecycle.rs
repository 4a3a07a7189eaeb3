//! `elasticsearch.lifecycle` and `ilm_config_path`.

use config::check::Problems;

use crate::config::{Config, Lifecycle, Strategy, load_lifecycle};

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let key = "elasticsearch.lifecycle";
    let lifecycle = config.lifecycle();
    let strategy = config.elasticsearch.strategy;
    if lifecycle == Lifecycle::None {
        return;
    }
    if strategy == Strategy::Single {
        problems.add(key, "must be none for elasticsearch.strategy single: it would delete all documents immediately");
    }
    if lifecycle == Lifecycle::Dsl && strategy != Strategy::DataStream {
        problems.add(key, "dsl is only for elasticsearch.strategy data_stream");
    }
    if lifecycle == Lifecycle::Ilm && strategy == Strategy::Time {
        ends_in_a_date(&config.elasticsearch.placement.time_pattern, problems);
    }
    match &config.ilm_config_path {
        None => problems.add(key, "needs the file of the policy: set ilm_config_path"),
        Some(path) => {
            if let Err(error) = load_lifecycle(path, strategy != Strategy::Time) {
                problems.add("ilm_config_path", error);
            }
        }
    }
}

/// Checks that `index.lifecycle.parse_origination_date` finds a date in the index's name: at its end, optionally
/// followed by a dash and digits (Elasticsearch reference, "Index lifecycle management settings"). Elasticsearch
/// refuses to create an index with any other name.
fn ends_in_a_date(pattern: &str, problems: &mut Problems) {
    let date = match pattern.rsplit_once('-') {
        Some((before, "%H" | "%H%M" | "%H%M%S")) => before,
        Some(_) | None => pattern,
    };
    if date != "%Y.%m.%d" && !date.ends_with("-%Y.%m.%d") {
        problems.add(
            "elasticsearch.placement.time_pattern",
            "must be %Y.%m.%d, optionally followed by -%H, for elasticsearch.lifecycle ilm, which takes the age \
             from the date in the index's name",
        );
    }
}

#[cfg(test)]
mod tests;
