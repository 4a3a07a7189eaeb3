use super::*;

fn jump(from: i64, to: i64) -> Jump {
    Jump { partition: Partition(0), from: NextOffset(from), to: Offset(to) }
}

#[test]
fn a_record_before_where_reading_stood_goes_back() {
    assert!(jump(7, 6).is_back());
    assert!(!jump(7, 9).is_back());
}

#[test]
fn so_many_are_kept_and_no_more() {
    let mut jumps = Jumps::default();
    (0..MAX_JUMPS + 5).for_each(|_| jumps.note(jump(1, 3)));
    assert_eq!(jumps.take().len(), MAX_JUMPS);
    assert_eq!(jumps.take(), [], "they are taken once");
}
