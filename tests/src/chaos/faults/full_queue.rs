//! A node's write queue has room for only one request, so the node answers most requests with 429.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::fault::Loss;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::stack::Part;

const SETTINGS: &str = "-E thread_pool.write.size=1 -E thread_pool.write.queue_size=1";

pub(crate) struct FullQueue(u8);

impl FullQueue {
    pub(crate) fn new(number: u8) -> Self {
        Self(number)
    }
}

impl Fault for FullQueue {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            scene.lose(Part::Node(self.0), Loss::Stop).await?;
            scene.cluster.stack.start_again_with(Part::Node(self.0), "ES_EXTRA", SETTINGS).await
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            scene.lose(Part::Node(self.0), Loss::Stop).await?;
            scene.regain(Part::Node(self.0), Loss::Stop).await
        })
    }
}
