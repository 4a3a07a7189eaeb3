//! `elasticsearch.lifecycle` and `ilm_config_path`.

use super::Problems;
use crate::config::{Config, Lifecycle, Strategy, load_lifecycle};

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let key = "elasticsearch.lifecycle";
    let lifecycle = config.lifecycle();
    let strategy = config.elasticsearch.strategy;
    if lifecycle == Lifecycle::None {
        return;
    }
    if strategy == Strategy::Single {
        problems.add(key, "must be none for elasticsearch.strategy single: all there is would go at once");
    }
    if lifecycle == Lifecycle::Dsl && strategy != Strategy::DataStream {
        problems.add(key, "dsl is for elasticsearch.strategy data_stream alone");
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
