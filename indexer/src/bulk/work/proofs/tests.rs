use super::*;

#[test]
fn suspects_are_taken_in_order_and_at_least_one_at_a_time() {
    let suspect = |item| Suspect { item, index: "a".into() };
    let mut proofs = Proofs::new(true);
    assert!(proofs.are_wanted() && proofs.is_empty());
    proofs.extend([suspect(1), suspect(2)]);
    assert_eq!((proofs.take(0), proofs.take(9)), (vec![suspect(1)], vec![suspect(2)]));
    assert!(proofs.is_empty());
}

#[test]
fn missing_documents_are_counted_per_item() {
    let mut proofs = Proofs::default();
    (0..300).for_each(|_| proofs.note_gone(1));
    assert_eq!((proofs.rounds(1), proofs.rounds(2)), (u8::MAX, 0));
}
