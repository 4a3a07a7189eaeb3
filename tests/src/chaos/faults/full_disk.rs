//! The disks of all nodes have reached the flood stage, because its watermark is higher than any disk. Elasticsearch
//! sets the block `index.blocks.read_only_allow_delete` on all indices, and removes it once there is room.
//!
//! A small file system for one node would need the right to mount one.

use anyhow::{Result, ensure};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::eventually::eventually;
use crate::http::Method;

/// More free bytes than any disk has.
const NEVER_FREE: &str = "1pb";
/// Fewer free bytes than a disk of a running test has.
const ALWAYS_FREE: &str = "1b";

pub(crate) struct FullDisk;

/// Sets the watermarks; null leaves the check of the disks to the config of the nodes.
async fn set(scene: &Scene, watermark: Value) -> Result<()> {
    let (is_checked, interval) = match watermark {
        Value::Null => (Value::Null, Value::Null),
        // The shortest interval that Elasticsearch accepts.
        _ => (json!(true), json!("10s")),
    };
    let settings = json!({
        "cluster.routing.allocation.disk.threshold_enabled": is_checked,
        "cluster.routing.allocation.disk.watermark.low": watermark,
        "cluster.routing.allocation.disk.watermark.high": watermark,
        "cluster.routing.allocation.disk.watermark.flood_stage": watermark,
        "cluster.info.update.interval": interval,
    });
    scene.search(Method::PUT, "_cluster/settings", json!({ "persistent": settings })).await.map(drop)
}

/// Returns whether some indices have the block.
async fn are_blocked(scene: &Scene) -> Result<bool> {
    let name = &scene.pipeline.config.elasticsearch.index_name;
    let filter = "filter_path=*.settings.index.blocks.read_only_allow_delete";
    let path = format!("*{name}-*/_settings?expand_wildcards=all&{filter}");
    let blocked = scene.search(Method::GET, &path, Value::Null).await?;
    Ok(blocked.as_object().is_some_and(|indices| !indices.is_empty()))
}

impl Fault for FullDisk {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            set(scene, json!(NEVER_FREE)).await?;
            eventually("Elasticsearch notices the full disks", || async {
                ensure!(are_blocked(scene).await?, "no index is blocked");
                Ok(())
            })
            .await
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            set(scene, json!(ALWAYS_FREE)).await?;
            eventually("Elasticsearch notices the room on the disks", || async {
                ensure!(!are_blocked(scene).await?, "an index is blocked");
                Ok(())
            })
            .await?;
            set(scene, Value::Null).await
        })
    }
}
