use super::*;

#[test]
fn there_are_some_looks_at_once_and_one_a_second_after() {
    let mut looks = Looks { left: LOOKS, ..Looks::default() };
    let start = Instant::now();
    let taken = (0..100).filter(|_| looks.take(start)).count();
    assert_eq!(taken, LOOKS as usize);
    let later = (1..=50).filter(|tenth| looks.take(start + Duration::from_millis(100 * tenth))).count();
    assert_eq!(later, 5);
}
