use super::*;

/// Returns the roles of the indices `names` behind `alias`. The last one is the write index.
fn members<'n>(alias: &str, names: &[&'n str]) -> Vec<(&'n str, Role, bool)> {
    let series = Series::new(alias, names.last().copied(), names);
    let member = |name: &&'n str| (*name, series.of(name).role, series.of(name).is_of_later_series);
    names.iter().map(member).collect()
}

#[test]
fn a_rollover_continues_the_name_of_the_index_not_of_the_alias() {
    for (first, second) in [
        ("calls-000001", "calls-000002"),
        ("events-raw-003281", "events-raw-003282"),
        ("calls-v2-2026.11.27-000001", "calls-v2-2026.11.28-000002"),
        ("calls-1", "calls-000002"),
        ("daily-00001", "daily-000002"),
    ] {
        let members = members("events", &[first, second]);
        assert!(members.iter().all(|(_, role, is_later)| matches!(role, Role::Own(_)) && *is_later), "{members:?}");
    }
}

#[test]
fn the_first_index_of_a_series_may_have_a_short_number() {
    let names = ["events-1", "events-2019", "events-000002", "events-000003"];
    assert_eq!(
        members("events", &names),
        [
            (names[0], Role::Own(1), false),
            (names[1], Role::Foreign, false),
            (names[2], Role::Own(2), false),
            (names[3], Role::Own(3), false)
        ]
    );
}

#[test]
fn the_series_of_the_alias_comes_before_a_later_one() {
    let names = ["events-000007", "shrink-x1-events-000006", "shrink-x1-calls-000001", "archive", "calls-000002"];
    assert_eq!(
        members("events", &names),
        [
            (names[0], Role::Own(7), false),
            (names[1], Role::Copy(6), false),
            (names[2], Role::Copy(1), true),
            (names[3], Role::Foreign, false),
            (names[4], Role::Own(2), true)
        ]
    );
}

#[test]
fn indices_made_from_others_one_by_one_are_copies() {
    let names = ["reindexed-v9-calls-000001", "reindexed-v9-calls-000002"];
    assert_eq!(members("events", &names), [(names[0], Role::Copy(1), true), (names[1], Role::Copy(2), true)]);
    let names = ["reindexed-v9-events-000001", "reindexed-v9-events-000002"];
    assert_eq!(members("events", &names), [(names[0], Role::Copy(1), false), (names[1], Role::Copy(2), false)]);
}

#[test]
fn an_index_alone_or_without_a_number_is_not_a_series() {
    for names in [&["calls-000003"][..], &["events-000001", "calls-v2"], &["a-000001", "calls-3"]] {
        let write = names.last().unwrap();
        assert_eq!(members("events", names).last(), Some(&(*write, Role::Foreign, false)), "{names:?}");
    }
}
