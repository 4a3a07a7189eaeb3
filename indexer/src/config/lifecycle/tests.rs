use super::*;

fn load(text: &str, rolls_over: bool) -> Result<LifecyclePolicy, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ilm.yaml");
    std::fs::write(&path, text).unwrap();
    load_lifecycle(&path, rolls_over)
        .map_err(|error| error.to_string().replace(&path.display().to_string(), "ilm.yaml"))
}

#[test]
fn the_sample_is_a_valid_policy() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/ilm.yaml");
    let policy = load_lifecycle(&sample, true).unwrap();
    assert_eq!(policy.policy_name, "cxone-events");
    assert!(policy.hot.rollover_max_age.is_some() && policy.hot.rollover_max_size.is_some());
    assert!(policy.warm.is_some() && policy.delete.is_some());
}

#[test]
fn a_name_two_conditions_and_an_age_are_enough() {
    let text = "policy_name: p\nhot:\n  rollover_max_age: 1d\n  rollover_max_size: 50gb\ndelete:\n  min_age: 90d\n";
    let policy = load(text, true).unwrap();
    assert_eq!(policy.hot.rollover_max_size.as_deref(), Some("50gb"));
    assert_eq!(policy.delete.unwrap().min_age, "90d");
}

#[test]
fn problems_are_reported_with_their_lines() {
    let hot = "hot:\n  rollover_max_age: 1d\n";
    for (text, expected) in [
        (
            format!("policy_name: p\n{hot}delete:\n  min_age: 90 days\n"),
            "ilm.yaml:5: delete.min_age: \"90 days\" is not an age",
        ),
        (
            format!("policy_name: p\n{hot}delete:\n  min_age: 1.5d\n"),
            "ilm.yaml:5: delete.min_age: \"1.5d\" is not an age",
        ),
        (format!("policy_name: p\n{hot}delete:\n  min_age: 0d\n"), "ilm.yaml:5: delete.min_age: must be more than 0"),
        (
            "policy_name: p\nhot:\n  rollover_max_size: 50\n".to_owned(),
            "ilm.yaml:3: hot.rollover_max_size: \"50\" is not a size",
        ),
        (
            "policy_name: p\nhot:\n  rollover_max_docs: 0\n".to_owned(),
            "ilm.yaml:3: hot.rollover_max_docs: must be at least 1",
        ),
        (
            "policy_name: p\nhot:\n  rollover_max_agee: 1d\n".to_owned(),
            "ilm.yaml:3: unknown key hot.rollover_max_agee; did you mean",
        ),
        ("policy_name: p\nhot:\n  priority: 1\n".to_owned(), "ilm.yaml:2: hot: needs a condition of the rollover"),
        ("policy_name: p\n".to_owned(), "ilm.yaml:1: hot: needs a condition of the rollover"),
        (format!("policy_name: _p\n{hot}"), "ilm.yaml:1: policy_name: must be 1 to 255 bytes"),
        (hot.to_owned(), "the key policy_name is missing"),
        (
            format!("policy_name: p\n{hot}warm:\n  min_age: 1d\n  shrink_shards: 0\n"),
            "ilm.yaml:6: warm.shrink_shards: must be at",
        ),
    ] {
        let error = load(&text, true).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn phases_in_the_wrong_order_are_refused_with_their_lines() {
    let text = "policy_name: p\nhot:\n  rollover_max_age: 1d\nwarm:\n  min_age: 10d\ncold:\n  min_age: 100h\ndelete:\n  min_age: 5m\n";
    assert_eq!(
        load(text, true).unwrap_err(),
        "ilm.yaml:7: cold.min_age: is 100h, before warm.min_age, which is 10d: phases follow one another\n\
         ilm.yaml:9: delete.min_age: is 5m, before cold.min_age, which is 100h: phases follow one another"
    );
}

#[test]
fn with_strategy_time_rollover_conditions_are_refused() {
    let error = load("policy_name: p\nhot:\n  rollover_max_size: 50gb\n", false).unwrap_err();
    assert!(error.starts_with("ilm.yaml:3: hot.rollover_max_size: indices of elasticsearch.strategy time"), "{error}");
    load("policy_name: p\ndelete:\n  min_age: 90d\n", false).unwrap();
}
