//! The topic gets one more partition, so ids move to other partitions.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::eventually::eventually;

pub(crate) struct Partition;

impl Fault for Partition {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (kafka, topic) = (&scene.pipeline.kafka, &scene.pipeline.config.kafka.topic);
            let before = eventually("the partitions are known", || kafka.end_offsets(topic)).await?.len();
            eventually("the topic has one more partition", || async {
                if kafka.end_offsets(topic).await?.len() > before {
                    return Ok(());
                }
                kafka.add_partitions(topic, before + 1).await?;
                anyhow::bail!("it was asked for")
            })
            .await
        })
    }
}
