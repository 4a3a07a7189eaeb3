//! The registry is killed. Its data stays on disk.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::fault::Loss;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::stack::Part;

pub(crate) struct Away(Loss);

impl Away {
    pub(crate) fn new(loss: Loss) -> Self {
        Self(loss)
    }
}

impl Fault for Away {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(scene.lose(Part::Registry, self.0))
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(scene.regain(Part::Registry, self.0))
    }
}
