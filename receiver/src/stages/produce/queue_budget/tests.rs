use super::*;

fn budget(records: &str, kib: &str) -> QueueBudget {
    let mut config = ClientConfig::new();
    config.set(RECORDS, records).set(KIB, kib);
    QueueBudget::of(&mut config)
}

#[test]
fn all_find_room_or_none_does() {
    let budget = budget("10", "1");
    assert_eq!(budget.take(8, 500), Ok(()));
    assert_eq!(budget.take(3, 0), Err(BudgetExceeded::Now));
    assert_eq!(budget.take(1, 600), Err(BudgetExceeded::Now));
    assert_eq!(budget.take(2, 524), Ok(()));
    budget.give_back(8, 500);
    assert_eq!(budget.take(8, 500), Ok(()));
    assert_eq!(budget.records(), 10);
}

#[test]
fn what_would_never_find_room_is_distinguished_from_what_finds_none_now() {
    let budget = budget("10", "1");
    assert_eq!(budget.take(11, 0), Err(BudgetExceeded::TooMany(10)));
    assert_eq!(budget.take(1, 1025), Err(BudgetExceeded::TooLarge(1024)));
}

#[test]
fn no_records_at_all_means_no_limit_as_librdkafka_has_it() {
    let budget = budget("0", "1");
    assert_eq!(budget.take(1_000_000, 1), Ok(()));
}

#[test]
fn room_of_records_that_were_never_queued_is_given_back() {
    let budget = budget("10", "1");
    let mut unqueued = Unqueued::take(&budget, 10, 1_000).unwrap();
    unqueued.queued(100);
    drop(unqueued);
    assert_eq!(budget.records(), 1, "the one that librdkafka has");
    assert_eq!(budget.take(9, 900), Ok(()));
}

#[test]
fn what_librdkafka_keeps_of_a_small_record_takes_room_too() {
    let budget = budget("0", "1024");
    let room = room_of(10, headers_room([("source".len(), 4), ("request-id".len(), 36)].into_iter()));
    let records = (0..).take_while(|_| budget.take(1, room).is_ok()).count();
    assert!((1_500..2_000).contains(&records), "{records} records of 10 bytes in a mebibyte");
}
