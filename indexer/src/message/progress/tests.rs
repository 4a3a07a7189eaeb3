use super::*;

fn step(partition: i32, epoch: u64, first: i64, next: i64) -> Progress {
    let (partition, first, next) = (Partition(partition), Offset(first), NextOffset(next));
    Progress { partition, epoch: Epoch(epoch), first, next }
}

#[test]
fn a_record_belongs_to_the_assignment_under_which_it_was_read() {
    // Partition 1 was lost, and assigned again, while the batch was being filled.
    let progress = [step(0, 1, 0, 9), step(1, 2, 4, 6), step(1, 3, 4, 8)];
    let epoch = |partition: i32, offset: i64| Progress::epoch_of(&progress, Partition(partition), Offset(offset));
    assert_eq!(epoch(0, 7), Some(Epoch(1)));
    assert_eq!(epoch(1, 7), Some(Epoch(3)), "it was read under the later assignment alone");
    assert_eq!(epoch(1, 5), Some(Epoch(3)), "it was read under both");
    assert_eq!([epoch(1, 3), epoch(1, 8), epoch(2, 0)], [None; 3]);
}
