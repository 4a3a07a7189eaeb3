//! `elasticsearch.lifecycle` and `ilm_config_path`.

use super::Problems;
use crate::{Config, Lifecycle, Strategy, load_lifecycle};

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let key = "elasticsearch.lifecycle";
    let lifecycle = config.lifecycle();
    let strategy = config.elasticsearch.strategy;
    if lifecycle == Lifecycle::None {
        return;
    }
    if strategy == Strategy::Single {
        problems.add(key, "must be none for elasticsearch.strategy single: it would delete all documents at once");
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

/// What `index.lifecycle.parse_origination_date` finds in an index's name: a date at its end, and perhaps a dash and
/// digits after that (Elasticsearch reference, "Index lifecycle management settings"). It refuses to make any other
/// index.
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
mod tests {
    use super::*;
    use crate::{Part, check};

    fn problems(lifecycle: Option<Lifecycle>, strategy: Strategy, path: Option<&str>) -> Vec<String> {
        let mut config = Config::default();
        config.elasticsearch.lifecycle = lifecycle;
        config.elasticsearch.strategy = strategy;
        config.ilm_config_path = path.map(|path| format!("{}/../../deploy/{path}", env!("CARGO_MANIFEST_DIR")).into());
        check(&config, Part::Indexer).into_iter().map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn with_a_file_indices_age_and_without_one_they_do_not() {
        assert_eq!(problems(None, Strategy::Rollover, Some("ilm.yaml")), [""; 0]);
        assert_eq!(problems(None, Strategy::Rollover, None), [""; 0]);
        assert_eq!(problems(None, Strategy::Single, Some("ilm.yaml")), [""; 0]);
        assert_eq!(problems(Some(Lifecycle::Dsl), Strategy::DataStream, Some("ilm.yaml")), [""; 0]);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (lifecycle, strategy, path, expected) in [
            (Some(Lifecycle::Ilm), Strategy::Rollover, None, "elasticsearch.lifecycle: needs the file"),
            (Some(Lifecycle::Ilm), Strategy::Single, Some("ilm.yaml"), "elasticsearch.lifecycle: must be none"),
            (Some(Lifecycle::Dsl), Strategy::Rollover, Some("ilm.yaml"), "elasticsearch.lifecycle: dsl is only for"),
            (None, Strategy::Time, Some("ilm.yaml"), "ilm_config_path: "),
            (None, Strategy::Rollover, Some("nowhere.yaml"), "ilm_config_path: cannot read"),
        ] {
            let problems = problems(lifecycle, strategy, path);
            assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{expected}: {problems:?}");
        }
    }

    #[test]
    fn the_policys_ages_count_from_the_date_at_the_end_of_the_name() {
        for (pattern, is_good) in [
            ("%Y.%m.%d", true),
            ("%Y.%m.%d-%H", true),
            ("of-%Y.%m.%d-%H%M", true),
            ("%Y.%m", false),
            ("%Y-%m-%d", false),
            ("of%Y.%m.%d", false),
            ("%Y.%m.%d-%H.%M", false),
            ("%Y.%m.%d.%H", false),
        ] {
            let mut problems = Problems::default();
            ends_in_a_date(pattern, &mut problems);
            assert_eq!(problems.0.is_empty(), is_good, "{pattern}");
        }
    }
}
