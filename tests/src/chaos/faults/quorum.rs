//! Two of three brokers are killed: no partition accepts a record, and no controller has a majority.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::cluster::MEMBERS;
use crate::chaos::fault::Loss;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::stack::Part;

pub(crate) struct Quorum(u8);

impl Quorum {
    pub(crate) fn new(number: u8) -> Self {
        Self(number)
    }

    fn parts(&self) -> [Part; 2] {
        [self.0, self.0 % MEMBERS + 1].map(Part::Broker)
    }
}

impl Fault for Quorum {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for part in self.parts() {
                scene.lose(part, Loss::Kill).await?;
            }
            Ok(())
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for part in self.parts() {
                scene.regain(part, Loss::Kill).await?;
            }
            Ok(())
        })
    }
}
