use super::*;

fn budget(records: &str, kib: &str) -> QueueBudget {
    let mut config = ClientConfig::new();
    config.set(RECORDS, records).set(KIB, kib);
    QueueBudget::of(&mut config)
}

#[test]
fn all_records_of_a_request_find_room_or_none() {
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
fn a_request_too_large_for_the_queue_differs_from_a_full_queue() {
    let budget = budget("10", "1");
    assert_eq!(budget.take(11, 0, 0), Err(BudgetExceeded::TooMany(10)));
    assert_eq!(budget.take(1, 1025, 0), Err(BudgetExceeded::TooLarge(1024)));
}

#[test]
fn zero_records_mean_no_limit() {
    let budget = budget("0", "1");
    assert_eq!(budget.take(1_000_000, 1, 0), Ok(()));
}

#[test]
fn the_room_of_records_never_queued_is_given_back() {
    let budget = budget("10", "1");
    let mut unqueued = Unqueued::take(&budget, 10, 1_000, 0).unwrap();
    unqueued.queued(100);
    drop(unqueued);
    assert_eq!(budget.records(), 1, "the one that librdkafka has");
    assert_eq!(budget.take(9, 900, 0), Ok(()));
}

/// For a small event, the overhead is most of what librdkafka keeps.
#[test]
fn the_overhead_of_records_counts() {
    let budget = budget("0", "1");
    assert_eq!(budget.take(2, 24, 250), Ok(()));
    assert_eq!(budget.take(2, 24, 250), Err(BudgetExceeded::Now));
    assert_eq!(budget.take(1, 24, 250), Ok(()));
    budget.give_back(3, 48, 250);
    // The overhead alone never makes a file too large.
    assert_eq!(budget.take(100, 1_000, 250), Ok(()));
    assert_eq!(budget.take(1, 0, 250), Err(BudgetExceeded::Now));
    budget.give_back(100, 1_000, 250);
    assert_eq!(budget.take(4, 24, 250), Ok(()));
}
