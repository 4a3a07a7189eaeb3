use super::*;
use crate::bulk::outcome::BlockKind;

fn block(reason: &str) -> Block {
    Block { kind: BlockKind::Index, index: None, status: 403, error_type: "t".to_owned(), reason: reason.to_owned() }
}

#[test]
fn a_block_of_documents_that_can_move_is_not_lasting() {
    let mut blockage = Blockage::default();
    blockage.note(block("a"), true);
    assert_eq!(blockage.lasting(), None);
    blockage.stay();
    assert_eq!(blockage.lasting(), Some(&block("a")), "they find none");
}

#[test]
fn a_passing_block_does_not_clear_a_lasting_one() {
    let mut blockage = Blockage::default();
    blockage.note(block("a"), false);
    blockage.note(block("b"), true);
    assert_eq!(blockage.lasting(), Some(&block("b")));
}

#[test]
fn a_block_ends_once_its_documents_are_set_aside() {
    let mut blockage = Blockage::default();
    blockage.note(block("a"), false);
    blockage.end();
    assert_eq!(blockage, Blockage::None);
}

#[test]
fn without_a_block_nothing_is_lasting() {
    let mut blockage = Blockage::default();
    blockage.stay();
    blockage.name("events");
    assert_eq!(blockage, Blockage::None);
}

#[test]
fn an_unnamed_block_takes_the_name_of_the_index() {
    let mut blockage = Blockage::default();
    blockage.note(block("a"), false);
    blockage.name("events");
    blockage.name("others");
    assert_eq!(blockage.lasting().and_then(|block| block.index.as_deref()), Some("events"));
}
