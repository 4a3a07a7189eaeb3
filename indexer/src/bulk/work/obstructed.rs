//! Notes the documents that met a block in one step: they were sent, looked up or proven. Pure.

use std::sync::Arc;

use crate::bulk::outcome::Block;

/// The documents that met a block in the current step.
#[derive(Debug, Default)]
pub(in crate::bulk) struct Obstructed(Vec<Obstruction>);

/// A document, and what blocks it.
#[derive(Debug)]
pub(super) struct Obstruction {
    pub(super) item: usize,
    /// The index that is blocked.
    pub(super) index: Arc<str>,
    pub(super) block: Block,
    /// Whether the index was asked about the document, which was not sent.
    pub(super) was_asked: bool,
}

impl Obstructed {
    /// Notes that `index` answered `item`, which was sent to it, with `block`.
    pub(super) fn note_sent(&mut self, item: usize, index: Arc<str>, block: &Block) {
        self.0.push(Obstruction { item, index, block: block.clone(), was_asked: false });
    }

    /// Notes that `block` keeps `index` from saying whether it has the document `item`.
    pub(in crate::bulk) fn note_asked(&mut self, item: usize, index: Arc<str>, block: &Block) {
        self.0.push(Obstruction { item, index, block: block.clone(), was_asked: true });
    }

    /// Takes what was noted in this step.
    pub(super) fn take(&mut self) -> Vec<Obstruction> {
        std::mem::take(&mut self.0)
    }
}
