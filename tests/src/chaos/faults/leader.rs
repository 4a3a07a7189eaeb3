//! The broker that leads the first partition of the events is killed.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::fault::Loss;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::eventually::eventually;
use crate::stack::Part;

#[derive(Default)]
pub(crate) struct Leader {
    killed: Option<Part>,
}

impl Fault for Leader {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let topic = &scene.pipeline.config.kafka.topic;
            let leader =
                eventually("the first partition has a leader", || scene.pipeline.kafka.leader(topic, 0)).await?;
            let leader = Part::Broker(leader);
            scene.lose(leader, Loss::Kill).await?;
            self.killed = Some(leader);
            Ok(())
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match self.killed {
                Some(killed) => scene.regain(killed, Loss::Kill).await,
                None => Ok(()),
            }
        })
    }
}
