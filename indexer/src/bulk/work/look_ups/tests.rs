use super::*;

#[test]
fn look_ups_are_limited_but_take_at_least_one() {
    let mut look_ups = LookUps::new([1, 2, 3].into());
    assert_eq!(look_ups.take(2), [1, 2]);
    look_ups.extend([4]);
    assert_eq!((look_ups.take(0), look_ups.take(9)), (vec![3], vec![4]));
    assert!(look_ups.is_empty());
}

#[test]
fn written_documents_are_looked_up_after_a_rollover() {
    let mut look_ups = LookUps::new(VecDeque::new());
    look_ups.count_on(7);
    look_ups.check(7);
    assert!(!look_ups.is_doubtful());
    look_ups.check(8);
    assert!(look_ups.is_doubtful());
    look_ups.doubt(1, true);
    look_ups.doubt(2, false);
    assert!(look_ups.is_written(1) && !look_ups.is_written(2));
    assert_eq!(look_ups.take(9), [1, 2]);
}

#[test]
fn an_id_is_looked_up_again_for_another_write_index() {
    let mut look_ups = LookUps::new(VecDeque::new());
    look_ups.note_checked(1, 7);
    assert!(look_ups.is_checked(1, 7) && !look_ups.is_checked(1, 8) && !look_ups.is_checked(2, 7));
}
