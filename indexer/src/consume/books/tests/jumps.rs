//! Tests single cases: a partition that is lost and assigned again, and offsets that jump.

use super::*;
use crate::message::target::Route;

fn plain(partition: i32, offset: i64) -> Record<'static> {
    Record {
        partition: Partition(partition),
        offset: Offset(offset),
        timestamp: None,
        key: None,
        value: Some(b"d\0"),
        headers: Headers::default(),
    }
}

#[test]
fn a_record_read_again_after_a_loss_settles_only_with_its_own_batch() {
    let mut books = Books::default();
    books.assign(Partition(0), Some(NextOffset(0)));
    books.take(&plain(0, 0), &mut decode(true));
    books.revoke(Partition(0));
    books.assign(Partition(0), Some(NextOffset(0)));
    books.take(&plain(0, 0), &mut decode(true));
    let first = books.dispatch(Instant::now()).unwrap();
    books.take(&plain(0, 1), &mut decode(true));
    let second = books.dispatch(Instant::now()).unwrap();
    books.ledger.settle(&second.progress);
    assert_eq!(books.ledger.take_commits(), [], "record 0 is in flight under the new assignment");
    books.ledger.settle(&first.progress);
    assert_eq!(books.ledger.take_commits(), [(Partition(0), NextOffset(2))]);
}

#[test]
fn a_gap_is_noted_once_even_if_the_next_record_waits() {
    let mut books = Books::default();
    books.assign(Partition(0), Some(NextOffset(7)));
    let waiting = Record { value: Some(b"w\0"), ..plain(0, 9) };
    assert!(books.take(&waiting, &mut decode(false)).is_some());
    assert_eq!(books.take_jumps(), []);
    for (_, records) in books.parked.release(NEED) {
        assert!(books.take_again(&records, &mut decode(true)).is_empty());
    }
    assert_eq!(books.take_jumps().len(), 1);
}

#[test]
fn offsets_that_go_back_mean_another_log() {
    let mut books = Books::default();
    books.assign(Partition(0), Some(NextOffset(7)));
    books.take(&plain(0, 9), &mut decode(true));
    books.take(&plain(0, 0), &mut decode(true));
    let jumps = books.take_jumps();
    assert_eq!(
        jumps,
        [(7, 9), (10, 0)].map(|(from, to)| Jump { partition: Partition(0), from: NextOffset(from), to: Offset(to) })
    );
    let batch = books.dispatch(Instant::now()).unwrap();
    books.ledger.settle(&batch.progress);
    assert_eq!(books.ledger.take_commits(), [(Partition(0), NextOffset(1))], "the old log's offsets are gone");
}

/// A record that is dated ahead must not have the others wait, whose list is stale for a moment.
#[test]
fn each_partition_waits_for_the_time_of_its_own_record() {
    let mut books = Books::default();
    let mut too_old =
        |record: &Record<'_>, _: &mut BatchBuilder| Decoded::TableTooOld(Route::default(), record.offset.0);
    let needs: Vec<Need> = [60_000, 1_000, 30_000]
        .into_iter()
        .zip(0..)
        .map(|(time, partition)| {
            books.assign(Partition(partition), Some(NextOffset(time)));
            books.take(&plain(partition, time), &mut too_old).unwrap().need
        })
        .collect();
    assert_eq!(needs, [60_000, 1_000, 30_000].map(|time| Need::Table(Route::default(), time)));
    assert_eq!(books.parked.release(Need::Table(Route::default(), 1_000)).len(), 1);
    let waiting = [0, 1, 2].map(|partition| books.parked.holds(Partition(partition)));
    assert_eq!(waiting, [true, false, true]);
}
