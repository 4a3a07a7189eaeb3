use super::*;

#[test]
fn early_lookups_allow_a_burst_and_then_one_a_second() {
    let mut looks = Looks { left: LOOKS, ..Looks::default() };
    let start = Instant::now();
    let taken = (0..100).filter(|_| looks.take(start)).count();
    assert_eq!(taken, LOOKS as usize);
    let later = (1..=50).filter(|tenth| looks.take(start + Duration::from_millis(100 * tenth))).count();
    assert_eq!(later, 5);
}
