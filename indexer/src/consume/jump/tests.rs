use super::*;

fn jump(from: i64, to: i64) -> Jump {
    Jump { partition: Partition(0), from: NextOffset(from), to: Offset(to) }
}

#[test]
fn a_record_before_the_expected_offset_is_a_jump_back() {
    assert!(jump(7, 6).is_back());
    assert!(!jump(7, 9).is_back());
}

#[test]
fn the_number_of_jumps_is_bounded() {
    let mut jumps = Jumps::default();
    (0..MAX_JUMPS + 5).for_each(|_| jumps.note(jump(1, 3)));
    assert_eq!(jumps.take().len(), MAX_JUMPS);
    assert_eq!(jumps.take(), [], "they are taken once");
}
