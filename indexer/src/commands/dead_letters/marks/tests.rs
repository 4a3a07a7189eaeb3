use std::collections::BTreeSet;

use kafka::position::{Offset, Partition};
use proptest::prelude::*;

use super::*;
use crate::message::record::Headers;
use crate::message::record::headers::tests::headers;

proptest! {
    #[test]
    fn offsets_behave_like_a_set(added in proptest::collection::vec((0i64..60, 0i64..5), 0..40)) {
        let (mut offsets, mut expected) = (Offsets::default(), BTreeSet::new());
        for (from, length) in added {
            offsets.insert_range(from, from + length);
            expected.extend(from..=from + length);
        }
        for offset in -1..70 {
            prop_assert_eq!(offsets.contains(offset), expected.contains(&offset));
            prop_assert_eq!(offsets.count_from(offset), expected.range(offset..).count() as u64);
        }
        prop_assert_eq!(offsets.count(), expected.len() as u64);
        let ranges: Vec<(i64, i64)> = offsets.0.iter().map(|(from, to)| (*from, *to)).collect();
        prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?}", ranges);
    }
}

fn noted(marks: &mut Marks, word: &[u8], value: &str, offset: i64) {
    let headers = headers(&[(HEADER_MARK, Some(word))]);
    marks.note(&Record {
        partition: Partition(1),
        offset: Offset(offset),
        timestamp: None,
        key: None,
        value: Some(value.as_bytes()),
        headers: Headers::from_bytes(&headers),
    });
}

#[test]
fn a_mark_sets_the_state_of_the_letters_before_it() {
    use LetterState::{Dropped, Open, Redriven};
    let mut marks = Marks::default();
    let mut offsets = Offsets::default();
    assert!(offsets.insert(3) && offsets.insert(4) && !offsets.insert(4));
    noted(&mut marks, b"redriven", &mark(Redriven, &offsets).1, 9);
    noted(&mut marks, b"dropped", r#"{"offsets":[[4,6]]}"#, 10);
    let states: Vec<LetterState> = (2..8).map(|offset| marks.state(1, offset)).collect();
    assert_eq!(states, [Open, Redriven, Redriven, Dropped, Dropped, Open]);
    assert_eq!(marks.state(0, 3), Open, "of another partition");
}

#[test]
fn invalid_marks_and_offsets_after_the_mark_are_ignored() {
    let mut marks = Marks::default();
    for (word, value) in
        [("redriven", "x"), ("redriven", r#"{"offsets":[[5,3]]}"#), ("other", r#"{"offsets":[[1,9]]}"#)]
    {
        noted(&mut marks, word.as_bytes(), value, 20);
    }
    noted(&mut marks, b"dropped", r#"{"offsets":[[8,9223372036854775807]]}"#, 9);
    let states: Vec<LetterState> = (0..12).map(|offset| marks.state(1, offset)).collect();
    assert_eq!(states.iter().filter(|state| **state != LetterState::Open).count(), 2, "{states:?}");
}
