use config::check;

use super::*;

fn problems(lifecycle: Option<Lifecycle>, strategy: Strategy, path: Option<&str>) -> Vec<String> {
    let mut config = Config::default();
    config.elasticsearch.lifecycle = lifecycle;
    config.elasticsearch.strategy = strategy;
    config.ilm_config_path = path.map(|path| format!("{}/../deploy/{path}", env!("CARGO_MANIFEST_DIR")).into());
    check(&config).into_iter().map(|problem| problem.to_string()).collect()
}

#[test]
fn a_policy_file_turns_the_lifecycle_on_by_default() {
    assert_eq!(problems(None, Strategy::Rollover, Some("ilm.yaml")), [""; 0]);
    assert_eq!(problems(None, Strategy::Rollover, None), [""; 0]);
    assert_eq!(problems(None, Strategy::Single, Some("ilm.yaml")), [""; 0]);
    assert_eq!(problems(Some(Lifecycle::Dsl), Strategy::DataStream, Some("ilm.yaml")), [""; 0]);
}

#[test]
fn contradicting_settings_are_refused() {
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
fn with_ilm_the_pattern_must_end_in_a_date() {
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
