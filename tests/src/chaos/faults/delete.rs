//! Somebody deletes the oldest index. What is in it then may be missing, or be written again (`docs/placement.md`).

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::chaos::fault::Which;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::http::Method;

/// How many indices there must be: the events of the last seconds are not in the oldest of so many.
const ENOUGH: usize = 4;

pub(crate) struct Delete;

impl Fault for Delete {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(index) = scene.index(Which::Oldest).await? else { return Ok(()) };
            if scene.indices().await?.len() < ENOUGH {
                return Ok(());
            }
            // Behind the block nothing is written to it any more: what is read now is all that is lost.
            scene.search(Method::PUT, &format!("{index}/_block/write"), Value::Null).await?;
            let mut ids = Vec::new();
            let client = scene.any_node().await?;
            client.sources(&index, |_, id, _| ids.push(id)).await?;
            scene.exceptions.lock().await.deleted.extend(ids);
            scene.search(Method::DELETE, &index, Value::Null).await.map(drop)
        })
    }
}
