use super::*;
use crate::bulk::outcome::BlockKind;

fn block(reason: &str) -> Block {
    Block { kind: BlockKind::Index, index: None, status: 403, error_type: "t".to_owned(), reason: reason.to_owned() }
}

#[test]
fn a_block_of_documents_that_find_another_place_is_none() {
    let mut blockage = Blockage::default();
    blockage.note(block("a"), true);
    assert_eq!(blockage.lasting(), None);
    blockage.stay();
    assert_eq!(blockage.lasting(), Some(&block("a")), "they find none");
}

#[test]
fn a_block_that_lasts_is_not_forgotten_for_one_that_passes() {
    let mut blockage = Blockage::default();
    blockage.note(block("a"), false);
    blockage.note(block("b"), true);
    assert_eq!(blockage.lasting(), Some(&block("b")));
}

#[test]
fn where_nothing_blocks_nothing_lasts() {
    let mut blockage = Blockage::default();
    blockage.stay();
    blockage.name("events");
    assert_eq!(blockage, Blockage::None);
}

#[test]
fn the_index_is_named_where_the_block_does_not() {
    let mut blockage = Blockage::default();
    blockage.note(block("a"), false);
    blockage.name("events");
    blockage.name("others");
    assert_eq!(blockage.lasting().and_then(|block| block.index.as_deref()), Some("events"));
}
