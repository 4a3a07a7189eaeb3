//! A part of the stack is killed, stopped or paused: a broker (which is also a controller), a node of Elasticsearch, or
//! the registry. Its data stays on disk.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::fault::Loss;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::stack::Part;

pub(crate) struct PartLoss {
    part: Part,
    loss: Loss,
}

impl PartLoss {
    pub(crate) fn new(part: Part, loss: Loss) -> Self {
        Self { part, loss }
    }
}

impl Fault for PartLoss {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(scene.lose(self.part, self.loss))
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(scene.regain(self.part, self.loss))
    }
}
