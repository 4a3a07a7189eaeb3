use proptest::prelude::*;

use super::*;
use crate::bulk::tests::batch_of;

#[test]
fn neighbouring_items_are_a_slice_of_the_batch_not_a_copy() {
    let batch = batch_of(&["a", "bb", "ccc"]);
    assert_eq!(select(&batch, &[0, 1, 2], &Moved::new()).as_ptr(), batch.body.as_ptr());
    assert_eq!(select(&batch, &[1, 2], &Moved::new()).as_ptr(), batch.body[batch.items[1].body.start..].as_ptr());
    assert_eq!(select(&batch, &[0, 1, 2], &Moved::new()), batch.body);
}

#[test]
fn no_items_give_an_empty_body() {
    assert!(select(&batch_of(&["a"]), &[], &Moved::new()).is_empty());
}

proptest! {
    #[test]
    fn the_body_holds_exactly_the_lines_of_its_items(
        documents in prop::collection::vec("[a-z]{0,9}", 1..20),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
        let batch = batch_of(&texts);
        let mut items: Vec<usize> = picks.iter().map(|pick| pick.index(documents.len())).collect();
        items.sort_unstable();
        items.dedup();
        let expected: Vec<u8> = items.iter().flat_map(|item| batch.body[batch.items[*item].body.clone()].to_vec()).collect();
        let body = select(&batch, &items, &Moved::new());
        prop_assert_eq!(&body[..], &expected[..]);
        prop_assert_eq!(body.len(), size(&batch, &items));
    }
}

#[test]
fn a_moved_item_names_its_new_index() {
    let mut batch = batch_of(&["one", "two"]);
    let named = "{\"create\":{\"_index\":\"a-000002\",\"_id\":\"x{\"}}\n{\"n\":{}}\n";
    let bare = "{\"index\":{\"_id\":\"y\",\"version\":3}}\n{\"n\":{}}\n";
    batch.body = format!("{named}{bare}").into();
    batch.items[0].body = 0..named.len();
    batch.items[1].body = named.len()..batch.body.len();
    let moved = Moved::from([(0, "b-000003".into()), (1, "b-000003".into())]);
    assert_eq!(
        select(&batch, &[0, 1], &moved),
        "{\"create\":{\"_index\":\"b-000003\",\"_id\":\"x{\"}}\n{\"n\":{}}\n\
         {\"index\":{\"_index\":\"b-000003\",\"_id\":\"y\",\"version\":3}}\n{\"n\":{}}\n"
    );
}
