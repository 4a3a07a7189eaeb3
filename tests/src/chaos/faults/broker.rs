//! A broker, which is also a controller, is killed, stopped or paused.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::fault::Loss;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::stack::Part;

pub(crate) struct Away {
    number: u8,
    loss: Loss,
}

impl Away {
    pub(crate) fn new(number: u8, loss: Loss) -> Self {
        Self { number, loss }
    }
}

impl Fault for Away {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(scene.lose(Part::Broker(self.number), self.loss))
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(scene.regain(Part::Broker(self.number), self.loss))
    }
}
