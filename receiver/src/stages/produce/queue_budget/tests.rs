use super::*;

fn budget(records: &str, kib: &str) -> QueueBudget {
    let mut config = ClientConfig::new();
    config.set(RECORDS, records).set(KIB, kib);
    QueueBudget::of(&mut config)
}

#[test]
fn all_find_room_or_none_does() {
    let budget = budget("10", "1");
    assert_eq!(budget.take(8, 500, 0), Ok(()));
    assert_eq!(budget.take(3, 0, 0), Err(BudgetExceeded::Now));
    assert_eq!(budget.take(1, 600, 0), Err(BudgetExceeded::Now));
    assert_eq!(budget.take(2, 524, 0), Ok(()));
    budget.give_back(8, 500, 0);
    assert_eq!(budget.take(8, 500, 0), Ok(()));
    assert_eq!(budget.records(), 10);
}

#[test]
fn what_would_never_find_room_is_distinguished_from_what_finds_none_now() {
    let budget = budget("10", "1");
    assert_eq!(budget.take(11, 0, 0), Err(BudgetExceeded::TooMany(10)));
    assert_eq!(budget.take(1, 1025, 0), Err(BudgetExceeded::TooLarge(1024)));
}

#[test]
fn no_records_at_all_means_no_limit_as_librdkafka_has_it() {
    let budget = budget("0", "1");
    assert_eq!(budget.take(1_000_000, 1, 0), Ok(()));
}

#[test]
fn room_of_records_that_were_never_queued_is_given_back() {
    let budget = budget("10", "1");
    let mut unqueued = Unqueued::take(&budget, 10, 1_000, 0).unwrap();
    unqueued.queued(100);
    drop(unqueued);
    assert_eq!(budget.records(), 1, "the one that librdkafka has");
    assert_eq!(budget.take(9, 900, 0), Ok(()));
}

/// Small events are little of what librdkafka keeps for them.
#[test]
fn what_a_record_takes_beside_key_and_value_counts() {
    let budget = budget("0", "1");
    assert_eq!(budget.take(2, 24, 250), Ok(()));
    assert_eq!(budget.take(2, 24, 250), Err(BudgetExceeded::Now));
    assert_eq!(budget.take(1, 24, 250), Ok(()));
    budget.give_back(3, 48, 250);
    // It is no reason to refuse a file for ever.
    assert_eq!(budget.take(100, 1_000, 250), Ok(()));
    assert_eq!(budget.take(1, 0, 250), Err(BudgetExceeded::Now));
    budget.give_back(100, 1_000, 250);
    assert_eq!(budget.take(4, 24, 250), Ok(()));
}
