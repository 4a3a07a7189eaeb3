//! A receiver or an indexer is killed, stopped or paused.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::fault::{Loss, Service};
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;

pub(crate) struct ServiceLoss {
    service: Service,
    loss: Loss,
}

impl ServiceLoss {
    pub(crate) fn new(service: Service, loss: Loss) -> Self {
        Self { service, loss }
    }
}

impl Fault for ServiceLoss {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut program = scene.program(self.service).lock().await;
            match self.loss {
                Loss::Kill => program.kill(),
                Loss::Stop => program.terminate().await,
                Loss::Pause => program.signal("STOP"),
            }
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut program = scene.program(self.service).lock().await;
            match self.loss {
                Loss::Kill | Loss::Stop => program.start_again(),
                Loss::Pause => program.signal("CONT"),
            }
        })
    }
}
