use super::*;

/// 2026-11-28T10:00:00Z
const NOW: i64 = 1_795_860_000_000;

fn calendar(expired: Expired, days: Option<i64>) -> Calendar {
    let retention = Retention::default();
    retention.set(days.map(|days| days * DAY));
    let placement = Placement { expired, ..Placement::default() };
    Calendar::new("e", &placement, Arc::new(retention))
}

fn name(calendar: &Calendar, time: i64) -> String {
    calendar.place(time, NOW).unwrap().0.index.to_string()
}

#[test]
fn events_whose_index_would_be_deleted_at_once_are_expired() {
    for expired in [Expired::Skip, Expired::DeadLetter] {
        let calendar = calendar(expired, Some(7));
        let no_place = if expired == Expired::Skip { NoPlacement::Skip } else { NoPlacement::DeadLetter };
        for time in [0, 1_767_323_045, NOW - 10 * DAY, NOW - 7 * DAY, -5, i64::MIN] {
            assert_eq!(calendar.place(time, NOW), Err(no_place), "{time}");
        }
        assert_eq!(name(&calendar, NOW - 6 * DAY), "e-2026.11.22");
        let midnight = (NOW - 6 * DAY).div_euclid(DAY) * DAY;
        assert_eq!(name(&calendar, midnight), "e-2026.11.22");
        assert_eq!(calendar.place(midnight - 1, NOW), Err(no_place));
    }
}

#[test]
fn a_retention_is_unlimited_until_it_is_set() {
    let retention = Retention::default();
    assert_eq!(retention.get(), None);
    for millis in [Some(0), Some(5), None] {
        retention.set(millis);
        assert_eq!(retention.get(), millis);
    }
}

#[test]
fn with_oldest_expired_events_go_to_the_oldest_kept_index() {
    let calendar = calendar(Expired::Oldest, Some(7));
    let (target, from, until) = calendar.place(0, NOW).unwrap();
    assert_eq!((&*target.index, target.age), ("e-2026.11.22", Age::Expired));
    assert!(from > until, "it is not remembered: tomorrow it is another one");
}

#[test]
fn without_retention_every_time_has_its_index() {
    let calendar = calendar(Expired::Skip, None);
    assert_eq!(name(&calendar, 0), "e-1970.01.01");
    for (time, age) in [(NOW, Age::Current), (NOW - DAY, Age::Previous), (NOW - 2 * DAY, Age::Older)] {
        assert_eq!(calendar.place(time, NOW).unwrap().0.age, age);
    }
}

#[test]
fn todays_index_is_kept_however_short_the_retention() {
    let calendar = calendar(Expired::DeadLetter, Some(0));
    assert_eq!(name(&calendar, NOW), "e-2026.11.28");
}

#[test]
fn a_time_far_ahead_has_no_index() {
    let calendar = calendar(Expired::Oldest, None);
    let last = NOW + millis(Placement::default().max_ahead);
    assert!(calendar.place(last, NOW).is_ok());
    for time in [last + 1, NOW + DAY] {
        assert_eq!(calendar.place(time, NOW), Err(NoPlacement::Future), "{time}");
    }
}

#[test]
fn documents_of_an_index_that_exists_only_as_a_copy_are_looked_up() {
    let calendar = calendar(Expired::Skip, None);
    let is_looked_up = |days: i64| calendar.place(NOW - days * DAY, NOW).unwrap().0.look_up;
    calendar.clone().note_copies(["e-2026.11.26", "e-2026.11.28"].map(str::to_owned).into());
    assert!(is_looked_up(2) && !is_looked_up(1) && !is_looked_up(3));
    assert!(!is_looked_up(0), "today's is created again");
    calendar.note_copies(HashSet::new());
    assert!(!is_looked_up(2));
}
