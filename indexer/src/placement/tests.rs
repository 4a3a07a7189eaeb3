use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::Expired;

const MARGIN: Duration = Duration::from_millis(1_000);

fn found(number: u64, created: i64) -> FoundIndex {
    FoundIndex { name: format!("events-{number:06}"), created, writable: true, is_write: false, is_resized: false }
}

/// Creates a table of generations from 1, created at these times. The last one is the write index.
fn table_of(created: &[i64], read_at: i64) -> Table {
    let mut all: Vec<FoundIndex> = (1..).zip(created).map(|(number, created)| found(number, *created)).collect();
    all.last_mut().unwrap().is_write = true;
    Table::new("events", all, None, read_at, MARGIN).unwrap()
}

fn starts(table: &Table) -> Vec<i64> {
    table.backing().iter().map(|backing| backing.start).collect()
}

#[test]
fn a_backing_index_takes_documents_from_a_margin_after_its_creation() {
    let table = table_of(&[10_000, 20_000, 30_000], 100_000);
    for (time, number) in [(0, 0), (20_999, 0), (21_000, 1), (30_999, 1), (31_000, 2), (100_500, 2)] {
        assert_eq!(place(&table, time), Placed::In(number), "{time}");
    }
}

#[test]
fn a_table_is_not_used_beyond_half_a_margin_after_its_reading() {
    let table = table_of(&[10_000], 20_000);
    assert_eq!(place(&table, 20_500), Placed::In(0));
    assert_eq!(place(&table, 20_501), Placed::NotYet);
}

#[test]
fn only_generation_1_takes_all_older_documents() {
    assert_eq!(place(&table_of(&[10_000], 20_000), i64::MIN), Placed::In(0));
    let mut later = found(2, 10_000);
    later.is_write = true;
    let table = Table::new("events", vec![later], None, 20_000, MARGIN).unwrap();
    assert_eq!(place(&table, 10_999), Placed::Expired);
    assert_eq!(place(&table, 11_000), Placed::In(0));
}

#[test]
fn expired_documents_go_where_the_config_says() {
    let mut later = found(2, 10_000);
    later.is_write = true;
    let table = Table::new("events", vec![later], None, 20_000, MARGIN).unwrap();
    let (target, from, until) = by_table(&table, 5, Expired::Oldest).unwrap();
    assert_eq!((&*target.index, target.age, from, until), ("events-000002", Age::Expired, i64::MIN, 10_999));
    assert_eq!(by_table(&table, 5, Expired::Skip), Err(NoPlacement::Skip));
    assert_eq!(by_table(&table, 5, Expired::DeadLetter), Err(NoPlacement::DeadLetter));
}

#[test]
fn backing_indices_are_ordered_by_their_numbers() {
    let mut shrunk = found(3, 90_000);
    shrunk.name = "shrink-ab3d-events-000003".to_owned();
    shrunk.writable = false;
    let mut write = found(4, 40_000);
    write.is_write = true;
    let table =
        Table::new("events", vec![write, shrunk, found(2, 20_000), found(1, 10_000)], None, 100_000, MARGIN).unwrap();
    let names: Vec<&str> = table.backing().iter().map(|backing| &*backing.name).collect();
    assert_eq!(names, ["events-000001", "events-000002", "shrink-ab3d-events-000003", "events-000004"]);
    assert_eq!(table.write().generation, 4);
}

#[test]
fn documents_of_a_shrunk_index_are_looked_up_among_its_neighbours() {
    let mut shrunk = found(3, 90_000);
    shrunk.name = "shrink-ab3d-events-000003".to_owned();
    let mut write = found(4, 40_000);
    write.is_write = true;
    let table =
        Table::new("events", vec![found(1, 10_000), found(2, 20_000), shrunk, write], None, 100_000, MARGIN).unwrap();
    assert_eq!(starts(&table), [i64::MIN, 21_000, 21_000, 41_000]);
    assert_eq!(place(&table, 20_000), Placed::In(0));
    assert_eq!(place(&table, 41_000), Placed::In(3));
    // Documents of 2 and 3 can no longer be distinguished.
    assert_eq!(place(&table, 25_000), Placed::In(2));
    assert!(!table.backing()[2].writable);
    assert_eq!(table.first_candidate(2), 1);
}

#[test]
fn documents_of_a_read_only_index_are_looked_up_except_in_the_write_index() {
    let mut old = found(1, 10_000);
    old.writable = false;
    let write = FoundIndex { is_write: true, writable: false, ..found(2, 20_000) };
    let table = Table::new("events", vec![old, write], None, 30_000, MARGIN).unwrap();
    assert_eq!(table.backing().iter().map(|backing| backing.writable).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn without_indices_or_a_write_index_there_is_no_table() {
    assert_eq!(Table::new("events", Vec::new(), None, 0, MARGIN), Err(TableError::Empty));
    assert_eq!(Table::new("events", vec![found(1, 0), found(2, 1)], None, 2, MARGIN), Err(TableError::NoWriteIndex(2)));
}

#[test]
fn the_placement_time_is_the_earlier_one_within_a_tolerance() {
    let tolerance = time::tolerance(MARGIN);
    assert_eq!(tolerance, 250);
    for (event, record, expected) in [
        (Some(5), Some(9), 5),
        (None, Some(9), 9),
        (Some(5), None, 5),
        (None, None, 0),
        // A clock that is slightly ahead gives the same time when the event is repeated.
        (Some(1_200), Some(1_000), 1_200),
        (Some(1_200), Some(7_000), 1_200),
        (Some(9_000), Some(1_000), 1_250),
    ] {
        assert_eq!(time::placement_time(event, record, tolerance), expected, "{event:?} {record:?}");
    }
}

#[test]
fn the_source_of_a_placement_time_tells_whether_it_can_be_right() {
    use super::time::Source;
    const RECORD: i64 = 1_700_000_000_000;
    const YEAR_2000: i64 = 946_684_800_000;
    for (event, record, expected) in [
        (None, Some(RECORD), Source::Empty),
        (Some(RECORD), None, Source::Event),
        (Some(RECORD), Some(RECORD), Source::Event),
        (Some(RECORD + 250), Some(RECORD), Source::Event),
        (Some(RECORD + 251), Some(RECORD), Source::Ahead),
        (Some(RECORD + 86_400_000), Some(RECORD), Source::Ahead),
        (Some(RECORD + 86_400_001), Some(RECORD), Source::Implausible),
        (Some(YEAR_2000), Some(RECORD), Source::Event),
        (Some(YEAR_2000 - 1), Some(RECORD), Source::Implausible),
    ] {
        assert_eq!(Source::of(event, record, time::tolerance(MARGIN)), expected, "{event:?} {record:?}");
    }
}

#[test]
fn a_name_by_pattern_is_a_function_of_the_time_in_utc() {
    // 2023-11-14T22:13:20.123Z
    let time = 1_700_000_000_123;
    for (pattern, name) in [
        ("%Y.%m.%d", "e-2023.11.14"),
        ("%Y-%m", "e-2023-11"),
        ("%Y.%m.%d-%H", "e-2023.11.14-22"),
        ("v1-%Y%m%d%H%M%S", "e-v1-20231114221320"),
    ] {
        assert_eq!(Pattern::new("e", pattern).name(time), name);
    }
    assert_eq!(Pattern::new("e", "%Y.%m.%d").name(-1), "e-1969.12.31");
    assert_eq!(Pattern::new("e", "%Y").name(i64::MAX), "e-9999");
    assert_eq!(Pattern::new("e", "%Y").name(i64::MIN), "e-0000");
}

/// Creation dates in order, and the time of a first query.
fn history() -> impl Strategy<Value = (Vec<i64>, i64)> {
    (prop::collection::vec(0_i64..5_000, 1..12), 0_i64..60_000).prop_map(|(gaps, read_at)| {
        let mut at = 0;
        let created: Vec<i64> = gaps
            .iter()
            .map(|gap| {
                at += gap;
                at
            })
            .collect();
        let read_at = read_at.max(created[0]);
        (created, read_at)
    })
}

proptest! {
    #[test]
    fn every_usable_table_places_a_record_in_the_same_index((created, read_at) in history(), time in -5_000_i64..70_000, late in 0_i64..500) {
        // An index created just before the query may be missing from the answer. A delay of less than half a margin
        // is tolerated.
        let known = created.iter().filter(|at| **at + late <= read_at).count().max(1);
        let early = table_of(&created[..known], read_at);
        let last = table_of(&created, created.last().unwrap().max(&read_at) + 100_000);
        let (now, then) = (place(&early, time), place(&last, time));
        prop_assert!(now == Placed::NotYet || now == then, "{now:?} and later {then:?}");
    }

    #[test]
    fn a_later_record_never_goes_to_an_earlier_index((created, _) in history(), a in -5_000_i64..70_000, b in -5_000_i64..70_000) {
        let table = table_of(&created, 1_000_000);
        let (a, b) = (a.min(b), a.max(b));
        let (Placed::In(first), Placed::In(second)) = (place(&table, a), place(&table, b)) else {
            return Err(TestCaseError::fail("every time has its index while generation 1 is there"));
        };
        prop_assert!(first <= second);
    }

    #[test]
    fn all_times_of_a_span_share_one_answer((created, read_at) in history(), time in -5_000_i64..70_000, other in -5_000_i64..70_000) {
        let known = created.iter().filter(|at| **at <= read_at).count().max(1);
        let table = table_of(&created[..known], read_at);
        let Ok((target, from, until)) = by_table(&table, time, Expired::Oldest) else { return Ok(()) };
        prop_assert!(from <= time && time <= until);
        let other = other.clamp(from, until);
        prop_assert_eq!(by_table(&table, other, Expired::Oldest).unwrap().0, target);
    }

    #[test]
    fn all_times_of_a_span_share_one_name(time in any::<i64>(), within in 0_i64..86_400_000, pattern in "%Y(\\.%m(\\.%d(\\.%H(%M(%S)?)?)?)?)?") {
        let pattern = Pattern::new("e", &pattern);
        let (from, until) = pattern.span(time);
        prop_assert!(from <= time && time <= until);
        let other = from.saturating_add(within).min(until);
        prop_assert_eq!(pattern.name(time), pattern.name(other));
    }
}
