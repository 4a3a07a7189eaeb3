//! Tests aliases and data streams that differ from what a rollover leaves.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::placement::{Placed, place};

const MARGIN: Duration = Duration::from_millis(1_000);

fn found(name: &str, created: i64) -> FoundIndex {
    FoundIndex { name: name.to_owned(), created, writable: true, is_write: false, is_resized: false }
}

fn write(name: &str, created: i64) -> FoundIndex {
    FoundIndex { is_write: true, ..found(name, created) }
}

fn table(found: Vec<FoundIndex>) -> Table {
    Table::new("e", found, None, 100_000, MARGIN).unwrap()
}

fn names(table: &Table) -> Vec<&str> {
    table.backing().iter().map(|backing| &*backing.name).collect()
}

/// Returns the indices that may hold a document of placement time `time`, and whether it is looked up there.
fn candidates(table: &Table, time: i64) -> (Vec<&str>, bool) {
    let Placed::In(number) = place(table, time) else { panic!("{time} has no place") };
    if table.backing()[number].writable {
        return (vec![&table.backing()[number].name], false);
    }
    (names(table)[table.first_candidate(number)..].to_vec(), true)
}

#[test]
fn a_write_index_of_another_name_shares_the_past_with_its_predecessor() {
    for name in ["e-000003-v2", "reindexed-v9-e-000003", "e-v2", "other"] {
        let table = table(vec![write(name, 90_000), found("e-000001", 10_000), found("e-000002", 20_000)]);
        assert_eq!(names(&table), ["e-000001", "e-000002", name]);
        assert_eq!(table.uncertainty(), Uncertainty::Copied, "{name}");
        assert_eq!(candidates(&table, 91_000), (vec![name], false), "{name}");
        assert_eq!(candidates(&table, 90_999), (vec!["e-000002", name], true), "{name}");
        assert_eq!(candidates(&table, 20_999), (vec!["e-000001"], false), "{name}");
    }
}

/// For example, `POST alias/_rollover` continues from an index that was put behind the alias.
#[test]
fn rolling_over_an_index_of_another_name_is_a_rollover() {
    for (first, second) in [("other-000001", "other-000002"), ("e-v2-000001", "e-v2-000002"), ("e-1", "e-000002")] {
        let alone = table(vec![write(first, 10_000)]);
        assert_eq!(candidates(&alone, 15_000), (vec![first], false), "{first}");
        let table = table(vec![found(first, 10_000), write(second, 50_000)]);
        assert_eq!(names(&table), [first, second]);
        assert_eq!(table.uncertainty(), Uncertainty::None, "{second}");
        assert_eq!(candidates(&table, 15_000), (vec![first], false), "{first}");
        assert_eq!(candidates(&table, 50_999), (vec![first], false), "{first}");
        assert_eq!(candidates(&table, 51_000), (vec![second], false), "{second}");
    }
}

#[test]
fn a_series_after_the_aliass_shares_the_past_with_its_predecessor() {
    let swapped = || vec![found("e-000006", 10_000), found("e-000007", 20_000), write("other-000001", 90_000)];
    let before = table(swapped());
    assert_eq!(before.uncertainty(), Uncertainty::Copied);
    assert_eq!(candidates(&before, 90_999), (vec!["e-000007", "other-000001"], true));
    let mut rolled = swapped();
    rolled[2].is_write = false;
    rolled.push(write("other-000002", 95_000));
    let rolled = table(rolled);
    assert_eq!(names(&rolled), ["e-000006", "e-000007", "other-000001", "other-000002"]);
    assert_eq!(rolled.uncertainty(), Uncertainty::None);
    assert_eq!(candidates(&rolled, 96_000), (vec!["other-000002"], false));
    assert!(candidates(&rolled, 92_000).0.contains(&"other-000001"));
    assert!(candidates(&rolled, 50_000).0.contains(&"other-000001"));
}

#[test]
fn a_single_write_index_takes_everything_whatever_its_name() {
    for name in ["e-v2", "other", "e-000001", "e-000007-v2"] {
        let table = table(vec![write(name, 90_000)]);
        assert_eq!(candidates(&table, i64::MIN), (vec![name], false), "{name}");
        assert_eq!(table.known_from(), i64::MIN);
    }
}

#[test]
fn a_foreign_index_that_is_not_the_write_index_is_left_out() {
    let archive = [found("archive-2019", 5_000), found("e-archive-000009", 95_000), found("e-eu-000007", 6_000)];
    let mut all = vec![found("e-000001", 10_000), write("e-000002", 20_000)];
    all.extend(archive);
    let table = table(all);
    assert_eq!(names(&table), ["e-000001", "e-000002"]);
    assert_eq!(table.uncertainty(), Uncertainty::None);
}

#[test]
fn an_alias_with_only_foreign_indices_has_no_write_index() {
    assert_eq!(Table::new("e", vec![found("archive", 1)], None, 2, MARGIN), Err(TableError::NoWriteIndex(1)));
}

#[test]
fn if_a_later_index_is_not_the_write_index_everything_is_looked_up() {
    for later in [found("e-000003", 30_000), found("e-000003-copy", 95_000)] {
        let name = later.name.clone();
        let table = table(vec![found("e-000001", 10_000), write("e-000002", 20_000), later]);
        assert_eq!(names(&table), ["e-000001", &name, "e-000002"]);
        assert_eq!(table.uncertainty(), Uncertainty::Behind);
        assert_eq!(candidates(&table, 99_000), (vec!["e-000001", &name, "e-000002"], true));
    }
}

#[test]
fn a_clone_of_the_write_index_takes_no_documents() {
    let table = table(vec![found("e-000001", 10_000), write("e-000002", 20_000), found("e-000002-clone", 90_000)]);
    assert_eq!(names(&table), ["e-000001", "e-000002-clone", "e-000002"]);
    assert_eq!(candidates(&table, 95_000), (vec!["e-000002"], false));
    assert!(!table.backing()[1].writable);
}

#[test]
fn the_creation_date_of_a_clone_is_not_used_as_its_start() {
    let cloned = FoundIndex { is_resized: true, ..write("e-000004", 90_000) };
    let table = table(vec![found("e-000001", 10_000), found("e-000002", 20_000), cloned]);
    assert_eq!(candidates(&table, 50_000), (vec!["e-000002", "e-000004"], true));
}

#[test]
fn a_mounted_snapshot_keeps_its_place() {
    let mounted = FoundIndex { writable: false, ..found("partial-e-000002", 20_000) };
    let table = table(vec![found("e-000001", 10_000), mounted, write("e-000003", 30_000)]);
    assert_eq!(candidates(&table, 20_999), (vec!["e-000001"], false));
    assert_eq!(candidates(&table, 21_000), (vec!["partial-e-000002", "e-000003"], true));
}

#[test]
fn the_start_of_a_shrunk_oldest_index_must_be_queried() {
    let all = || vec![found("shrink-x-e-000002", 90_000), write("e-000003", 30_000)];
    let unknown = table(all());
    assert_eq!(&*unknown.unknown_oldest().unwrap().name, "shrink-x-e-000002");
    let known = Table::new("e", all(), Some(21_500), 100_000, MARGIN).unwrap();
    assert_eq!(known.known_from(), 21_500);
    // Older documents are still looked up, because they may be in this index.
    assert_eq!(candidates(&known, 5_000), (vec!["shrink-x-e-000002", "e-000003"], true));
    // No index came before generation 1.
    let first = table(vec![found("shrink-x-e-000001", 90_000), write("e-000002", 30_000)]);
    assert!(first.unknown_oldest().is_none());
    // A block does not make its start unknown.
    let blocked = FoundIndex { writable: false, ..found("e-000002", 10_000) };
    assert!(table(vec![blocked, write("e-000003", 30_000)]).unknown_oldest().is_none());
    assert_eq!(Table::new("e", all(), None, 100_000, MARGIN).unwrap().known_from(), i64::MIN);
}

#[test]
fn a_data_stream_keeps_the_order_of_its_own_list() {
    let names = ["restored-.ds-e-000001", "shrink-x-.ds-e-000002", ".ds-e-000003"];
    let created = [10_000, 95_000, 30_000];
    let all = names.into_iter().zip(created).map(|(name, created)| found(name, created)).collect();
    let seen = names.into_iter().zip(created).map(|(name, created)| (name.to_owned(), created)).collect();
    let table = Table::of_stream(all, &seen, 100_000, MARGIN).unwrap();
    assert_eq!((&*table.write().name, table.write().generation), (".ds-e-000003", 3));
    assert_eq!(candidates(&table, 31_000).0, [".ds-e-000003"]);
    assert_eq!(candidates(&table, 25_000).0, names);
}

#[test]
fn a_stream_index_shares_documents_with_its_predecessor_until_seen() {
    let names = [".ds-e-000001", ".ds-e-000002"];
    let stream = |seen: &[(&str, i64)]| {
        let all = vec![found(names[0], 10_000), found(names[1], 20_000)];
        let seen = seen.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect();
        Table::of_stream(all, &seen, 200_000, MARGIN).unwrap()
    };
    let is_shared = |table: &Table, time: i64| candidates(table, time).0 == [names[0]];
    for (seen, until) in [
        // Seen as soon as it existed, or three seconds later.
        (vec![(names[1], 20_000)], 21_000),
        (vec![(names[1], 23_000)], 24_000),
        // A clock that is behind the server's.
        (vec![(names[1], 15_000)], 21_000),
        // No process was running, or it saw the index much later.
        (vec![], 141_000),
        (vec![(names[1], 190_000)], 141_000),
    ] {
        let table = stream(&seen);
        assert!(is_shared(&table, until - 1) && !is_shared(&table, until), "{seen:?}");
        assert_eq!(table.write().created, 20_000);
    }
}

/// Returns the table of the strategy `time` on 2026-11-28, for indices of these days in November.
fn dated(names: &[&str]) -> (Table, Calendar) {
    const NOW: i64 = 1_795_860_000_000;
    let calendar = Calendar::new("e", &crate::config::Placement::default(), Arc::default());
    let found = names.iter().map(|name| found(&format!("e-2026.11.{name}"), 1)).collect();
    (Table::dated(&calendar, found, NOW), calendar)
}

#[test]
fn documents_of_a_dated_index_that_exists_only_as_a_copy_are_looked_up() {
    for copy in ["26-v2", "26_old", "26-000001"] {
        let (table, calendar) = dated(&[copy, "25", "27"]);
        assert_eq!(table.copied(calendar.pattern()), ["e-2026.11.26".to_owned()].into(), "{copy}");
        let start = calendar.pattern().time("e-2026.11.26").unwrap();
        let range = table.dated_candidates("e-2026.11.26", start).unwrap();
        let copy = format!("e-2026.11.{copy}");
        assert_eq!(names(&table)[range], [copy.as_str(), "e-2026.11.27", "e-2026.11.28"]);
    }
}

/// The references of both servers restore with such names.
#[test]
fn an_index_restored_under_a_name_with_an_underscore_keeps_its_place() {
    let all = vec![found("e-000001", 10_000), found("restored_e-000002", 20_000), write("e-000003", 50_000)];
    let table = table(all);
    assert_eq!(names(&table), ["e-000001", "restored_e-000002", "e-000003"]);
    assert_eq!(candidates(&table, 30_000).0, ["restored_e-000002"], "not the index before it");

    let calendar = Calendar::new("e", &crate::config::Placement::default(), Arc::default());
    assert_eq!(calendar.pattern().time_of_copy("restored_e-2026.11.26"), calendar.pattern().time("e-2026.11.26"));
    assert_eq!(calendar.pattern().time_of_copy("my_e-2026.11.26"), None);
}

#[test]
fn a_copy_beside_its_index_changes_nothing() {
    let (table, calendar) = dated(&["26-v2", "26", "27", "28-v2", "27.03"]);
    assert!(table.copied(calendar.pattern()).is_empty());
    for day in ["24", "26", "27", "28"] {
        let name = format!("e-2026.11.{day}");
        assert_eq!(table.dated_candidates(&name, calendar.pattern().time(&name).unwrap()), None, "{name}");
    }
}

/// Returns generation `number`, created at `at`, as it is behind the alias after the operation `how`.
fn changed(number: u64, at: i64, how: u8) -> FoundIndex {
    let plain = format!("e-{number:06}");
    match how {
        0 => found(&format!("shrink-ab-{plain}"), at + 1_000_000),
        1 => FoundIndex { writable: false, ..found(&format!("restored-{plain}"), at) },
        2 => found(&format!("{plain}-v2"), at + 1_000_000),
        3 => found(&format!("reindexed-v9-{plain}"), at + 1_000_000),
        _ => found(&plain, at),
    }
}

proptest! {
    /// Every later table finds a document that was written by the table of an unchanged alias: in the index that it
    /// would be written to, or in one of those that are looked up first.
    #[test]
    fn a_document_is_found_again_whatever_happened_to_its_index(
        gaps in prop::collection::vec(1_i64..5_000, 2..8),
        how in prop::collection::vec(0_u8..8, 8),
        time in 0_i64..50_000,
        is_write_changed in any::<bool>(),
    ) {
        let created: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let plain = |count: usize| (1_u64..).zip(&created[..count]).map(|(number, at)| found(&format!("e-{number:06}"), *at));
        let mut before: Vec<FoundIndex> = plain(created.len()).collect();
        before.last_mut().unwrap().is_write = true;
        let before = Table::new("e", before, None, 100_000, MARGIN).unwrap();
        let Placed::In(own) = place(&before, time) else { return Ok(()) };

        let last = created.len() - 1;
        let mut after: Vec<FoundIndex> = (1_u64..).zip(&created).zip(&how).enumerate()
            .map(|(index, ((number, at), how))| changed(number, *at, if index < last || is_write_changed { *how } else { 9 }))
            .collect();
        after.last_mut().unwrap().is_write = true;
        let after = Table::new("e", after, None, 5_000_000, MARGIN).unwrap();
        let Placed::In(number) = place(&after, time) else {
            return Err(TestCaseError::fail("generation 1 is there, so every time has its place"));
        };
        let own_now = after.backing().iter().position(|backing| backing.generation == before.backing()[own].generation);
        let range = match after.backing()[number].writable {
            true => number..number + 1,
            false => after.first_candidate(number)..after.backing().len(),
        };
        prop_assert!(range.contains(&own_now.unwrap()), "{time} was in {own}, and is looked for in {range:?} of {after:?}");
    }
}
