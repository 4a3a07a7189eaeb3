use proptest::prelude::*;

use super::*;
use crate::bulk::tests::batch_of;

#[test]
fn neighbours_are_a_part_of_the_batch_and_not_a_copy() {
    let batch = batch_of(&["a", "bb", "ccc"]);
    assert_eq!(select(&batch, &[0, 1, 2]).as_ptr(), batch.body.as_ptr());
    assert_eq!(select(&batch, &[1, 2]).as_ptr(), batch.body[batch.items[1].body.start..].as_ptr());
    assert_eq!(select(&batch, &[0, 1, 2]), batch.body);
}

#[test]
fn no_items_are_no_body() {
    assert!(select(&batch_of(&["a"]), &[]).is_empty());
}

proptest! {
    #[test]
    fn the_body_is_the_items_lines_and_nothing_else(
        documents in prop::collection::vec("[a-z]{0,9}", 1..20),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
        let batch = batch_of(&texts);
        let mut items: Vec<usize> = picks.iter().map(|pick| pick.index(documents.len())).collect();
        items.sort_unstable();
        items.dedup();
        let expected: Vec<u8> = items.iter().flat_map(|item| batch.body[batch.items[*item].body.clone()].to_vec()).collect();
        let body = select(&batch, &items);
        prop_assert_eq!(&body[..], &expected[..]);
        prop_assert_eq!(body.len(), size(&batch, &items));
    }
}
