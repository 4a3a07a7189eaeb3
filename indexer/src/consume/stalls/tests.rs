use super::*;

const P: Partition = Partition(0);
const SURVEY: Duration = Duration::from_secs(5);
/// How many surveys there are while a partition may stand still.
const SURVEYS: u32 = 60;

/// Surveys `P` for twice as long as a partition may stand still. `look` returns its position at each survey, whether it
/// has more records, and whether the client ran dry. Returns how often it is taken up again.
fn taken_up(mut look: impl FnMut(u32) -> (i64, bool, bool)) -> usize {
    let (mut stalls, start) = (Stalls::default(), Instant::now());
    let mut count = 0;
    for number in 0..=2 * SURVEYS {
        let (at, has_more, is_dry) = look(number);
        let now = start + SURVEY * number;
        if is_dry {
            stalls.note_dry(now);
        }
        stalls.note(P, Some(NextOffset(at)), has_more, now);
        count += stalls.take().len();
    }
    count
}

#[test]
fn a_partition_that_stands_still_for_long_is_taken_up_again() {
    assert_eq!(taken_up(|_| (7, true, true)), 2, "once in each span");
    assert_eq!(taken_up(|number| (i64::from(number / 30), true, true)), 0, "it moves, if slowly");
    assert_eq!(taken_up(|_| (7, false, true)), 0, "it has no records, or may not be read");
    assert_eq!(taken_up(|number| (7, number % 30 != 0, true)), 0, "it was paused in between");
    assert_eq!(taken_up(|_| (7, true, false)), 0, "its records may wait behind those of others");
}

#[test]
fn time_without_a_survey_does_not_count_and_a_revoked_partition_is_left_alone() {
    let (mut stalls, start) = (Stalls::default(), Instant::now());
    for since in [Duration::ZERO, PATIENCE, PATIENCE * 2] {
        stalls.note_dry(start + since);
        stalls.note(P, None, true, start + since);
        assert!(stalls.take().is_empty(), "{since:?}");
    }
    let begun = start + PATIENCE * 2;
    for number in 0..=SURVEYS {
        stalls.note_dry(begun + SURVEY * number);
        stalls.note(P, None, true, begun + SURVEY * number);
    }
    stalls.forget(P);
    assert!(stalls.take().is_empty());
}
