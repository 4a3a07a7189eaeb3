use super::*;

#[test]
fn what_is_beyond_the_limit_is_refused_until_others_are_done() {
    let all = HeldBytes::new(100);
    let (mut first, mut second) = (all.hold(), all.hold());
    assert!(first.grow(60).is_ok());
    assert!(second.grow(40).is_ok());
    assert!(matches!(second.grow(1), Err(Rejection::Overloaded)));
    drop(second);
    assert!(first.grow(40).is_ok());
    drop(first);
    assert_eq!(all.held.load(Ordering::Relaxed), 0);
}
