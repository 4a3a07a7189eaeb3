use super::*;

#[test]
fn bytes_and_batches_are_separate_bounds() {
    let mut memory_budget = MemoryBudget::new(100, 2);
    assert!(memory_budget.has_batch() && memory_budget.has_bytes(99) && !memory_budget.has_bytes(100));
    memory_budget.start(60);
    assert!(memory_budget.has_batch() && !memory_budget.has_bytes(40));
    memory_budget.start(30);
    assert!(!memory_budget.has_batch());
    memory_budget.finish(60);
    assert!(memory_budget.has_batch() && memory_budget.has_bytes(69));
}

#[test]
fn set_aside_documents_use_bytes_but_no_batch_slot() {
    let mut memory_budget = MemoryBudget::new(100, 1);
    memory_budget.start(60);
    memory_budget.set_aside(50);
    assert!(memory_budget.has_batch());
    assert_eq!((memory_budget.bytes(), memory_budget.batches()), (10, 0));
    memory_budget.start(60);
    memory_budget.finish_set_aside(10);
    assert_eq!((memory_budget.bytes(), memory_budget.batches()), (60, 1));
}

#[test]
fn it_has_drained_at_half() {
    let mut memory_budget = MemoryBudget::new(100, 4);
    for _ in 0..3 {
        memory_budget.start(30);
    }
    assert!(!memory_budget.has_drained(0));
    memory_budget.finish(30);
    assert!(!memory_budget.has_drained(0), "60 bytes are more than half");
    memory_budget.finish(30);
    assert!(memory_budget.has_drained(20) && !memory_budget.has_drained(21));
}
