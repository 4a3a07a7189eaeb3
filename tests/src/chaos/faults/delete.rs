//! An operator deletes the oldest index. Its documents may be missing afterwards, or be written again
//! (`docs/placement.md`).

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::chaos::fault::Which;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::http::Method;

/// The minimum number of indices: with that many, the oldest has no events of the last seconds.
const ENOUGH: usize = 4;

pub(crate) struct Delete;

impl Fault for Delete {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(index) = scene.index(Which::Oldest).await? else { return Ok(()) };
            if scene.indices().await?.len() < ENOUGH {
                return Ok(());
            }
            // The write block keeps new documents out, so the ids read now are exactly those that will be lost.
            scene.search(Method::PUT, &format!("{index}/_block/write"), Value::Null).await?;
            let mut ids = Vec::new();
            let client = scene.any_node().await?;
            client.sources(&index, |_, id, _| ids.push(id)).await?;
            scene.exceptions.lock().await.deleted.extend(ids);
            scene.search(Method::DELETE, &index, Value::Null).await.map(drop)
        })
    }
}
