//! An operator deletes the oldest index. Its documents may be missing afterwards, or be written again
//! (`docs/placement.md`).

use anyhow::{Context, Result};
use futures::future::BoxFuture;
use serde_json::Value;

use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::http::Method;

/// The minimum number of indices: with that many, the oldest has no events of the last seconds.
const ENOUGH: usize = 4;

pub(crate) struct Delete;

/// Returns the placement time, in milliseconds since the Unix epoch, from which on documents belong to `index`.
async fn start(scene: &Scene, index: &str) -> Result<i64> {
    let path = format!("{index}/_settings?filter_path=*.settings.index.creation_date");
    let answer = scene.search(Method::GET, &path, Value::Null).await?;
    let created = answer[index]["settings"]["index"]["creation_date"].as_str();
    let created: i64 = created.context("it has no creation date")?.parse()?;
    Ok(created + scene.margin())
}

/// Notes that documents of times before `next` have no index of their own any more. They go to `next`, unless that is a
/// copy, in which they are only looked up.
async fn expire_before(scene: &Scene, next: &str) -> Result<()> {
    if !scene.is_original(next) {
        return Ok(());
    }
    let start = start(scene, next).await?;
    let mut exceptions = scene.exceptions.lock().await;
    exceptions.deleted_before = exceptions.deleted_before.max(Some(start));
    Ok(())
}

impl Fault for Delete {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let indices = scene.indices().await?;
            let [index, next, ..] = indices.as_slice() else { return Ok(()) };
            if indices.len() < ENOUGH {
                return Ok(());
            }
            // The write block keeps new documents out, so the ids read now are exactly those that will be lost.
            scene.search(Method::PUT, &format!("{index}/_block/write"), Value::Null).await?;
            let mut ids = Vec::new();
            let client = scene.any_node().await?;
            client.sources(index, |_, id, _| ids.push(id)).await?;
            scene.exceptions.lock().await.deleted.extend(ids);
            expire_before(scene, next).await?;
            scene.search(Method::DELETE, index, Value::Null).await.map(drop)
        })
    }
}
