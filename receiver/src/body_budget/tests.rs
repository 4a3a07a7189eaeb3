use super::*;

#[test]
fn bytes_beyond_the_limit_are_refused_until_others_are_freed() {
    let all = MemoryBudget::new(100);
    let (mut first, mut second) = (all.hold(), all.hold());
    assert!(first.grow(60).is_ok());
    assert!(second.grow(40).is_ok());
    assert_eq!(second.grow(1), Err(BudgetExceeded::ForAll));
    drop(second);
    assert!(first.grow(40).is_ok());
    drop(first);
    assert_eq!(all.bytes(), 0);
}

#[test]
fn small_requests_have_a_reserve() {
    let all = MemoryBudget::with_reserve(10 * SMALL, SMALL);
    let (mut large, mut small) = (all.hold(), all.hold());
    assert!(large.grow(8 * SMALL).is_ok());
    assert!(all.hold().grow(2 * SMALL) == Err(BudgetExceeded::ForAll));
    assert!(large.grow(SMALL).is_ok());
    assert!(small.grow(SMALL).is_ok());
    assert_eq!(all.hold().grow(1), Err(BudgetExceeded::ForAll));
}

#[test]
fn strangers_share_a_part_of_the_budget_until_they_are_known() {
    let (all, strangers) = (MemoryBudget::new(100), MemoryBudget::new(30));
    let mut first = all.hold_for_stranger(&strangers);
    assert!(first.grow(30).is_ok());
    assert_eq!(all.hold_for_stranger(&strangers).grow(1), Err(BudgetExceeded::ForStrangers));
    assert!(all.hold().grow(70).is_ok(), "who is known has the rest");
    first.set_known();
    assert_eq!((all.bytes(), strangers.bytes()), (30, 0));
    assert!(all.hold_for_stranger(&strangers).grow(30).is_ok());
    assert!(first.grow(70).is_ok());
    drop(first);
    assert_eq!((all.bytes(), strangers.bytes()), (0, 0));
}

#[test]
fn allocated_bytes_count_even_if_unused() {
    let all = MemoryBudget::new(1_000);
    let (mut budget, mut items) = (all.hold(), Vec::<u64>::new());
    for item in 0..100 {
        budget.reserve(&mut items, 1, 100).unwrap();
        items.push(item);
        assert_eq!(all.bytes(), items.capacity() * 8);
    }
    assert_eq!(items.capacity(), 100, "never more than there will be");
    assert_eq!(budget.reserve(&mut items, 100, 200), Err(BudgetExceeded::Never(1_000)));
    assert_eq!((all.bytes(), items.capacity()), (800, 100));
}

#[test]
fn a_request_that_never_fits_is_told_apart_from_one_that_does_not_fit_now() {
    let all = MemoryBudget::with_reserve(10 * SMALL, SMALL);
    let mut other = all.hold();
    other.grow(5 * SMALL).unwrap();
    assert_eq!(all.hold().grow(9 * SMALL), Err(BudgetExceeded::ForAll), "it fits once the other has left");
    assert_eq!(all.hold().grow(9 * SMALL + 1), Err(BudgetExceeded::Never(9 * SMALL)));
    drop(other);
    let (mut budget, mut bytes) = (all.hold(), Vec::<u8>::new());
    budget.reserve(&mut bytes, 5 * SMALL, usize::MAX).unwrap();
    bytes.resize(5 * SMALL, 0);
    budget.reserve(&mut bytes, 1, usize::MAX).unwrap();
    assert_eq!(bytes.capacity(), 9 * SMALL, "doubling stops at the limit");
}
