use super::*;

#[test]
fn a_span_that_finds_no_room_is_dropped_and_counted() {
    let spans = spans(&Registry::new(), "spans_total").unwrap();
    let queue = Queue::new(&spans);
    assert!((0..CAPACITY).all(|_| queue.enter()));
    assert!(!queue.enter() && !queue.enter());
    assert_eq!(spans.with_label_values(&["dropped"]).get(), 2);
    queue.left(1);
    assert!(queue.enter() && !queue.enter());
}

#[test]
fn refused_spans_are_not_counted_as_exported() {
    let spans = spans(&Registry::new(), "spans_total").unwrap();
    Queue::new(&spans).count(10, 3);
    let counted = ["exported", "failed", "dropped"].map(|outcome| spans.with_label_values(&[outcome]).get());
    assert_eq!(counted, [7, 3, 0]);
}
