//! An operator replaces the oldest index that is not a copy with a copy of another name. Each event is still found
//! once: documents of the copy are looked up in it, and missing ones go to the write index (`docs/placement.md`).

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::chaos::fault::Copying;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::eventually::eventually;
use crate::http::Method;
use crate::search::Search;

/// The time between two looks at a task of Elasticsearch.
const POLL: Duration = Duration::from_millis(200);

pub(crate) struct Copied(Copying);

impl Copied {
    pub(crate) fn new(copying: Copying) -> Self {
        Self(copying)
    }

    /// Returns the name of the copy of `index`.
    fn name(&self, index: &str) -> String {
        match self.0 {
            Copying::Clone => format!("{index}-clone"),
            Copying::Reindex => format!("reindexed-v9-{index}"),
            Copying::Restore => format!("restored-{index}"),
        }
    }

    async fn make(&self, scene: &Scene, index: &str, copy: &str) -> Result<()> {
        let client = scene.any_node().await?;
        // An earlier attempt may have left something.
        client.call(Method::DELETE, &format!("{copy}?ignore_unavailable=true"), &Value::Null).await?;
        match self.0 {
            Copying::Clone => {
                client.call(Method::POST, &format!("{index}/_clone/{copy}"), &json!({})).await?;
            }
            Copying::Reindex => reindex(&client, index, copy).await?,
            Copying::Restore => restore(&client, &scene.pipeline.config.elasticsearch.index_name, index).await?,
        }
        let (before, after) = (client.count(index).await?, client.count(copy).await?);
        ensure!(before == after, "{index} has {before} documents, and {copy} {after}");
        Ok(())
    }
}

async fn reindex(client: &Search, index: &str, copy: &str) -> Result<()> {
    let mappings = client.call(Method::GET, &format!("{index}/_mapping"), &Value::Null).await?[index].take();
    client.call(Method::PUT, copy, &mappings).await?;
    let from_to = json!({"source": {"index": index}, "dest": {"index": copy}});
    // A large index takes longer than a request may.
    let started = client.call(Method::POST, "_reindex?refresh=true&wait_for_completion=false", &from_to).await?;
    let task = format!("_tasks/{}", started["task"].as_str().context("no task")?);
    loop {
        let state = client.call(Method::GET, &task, &Value::Null).await?;
        if state["completed"] == true {
            ensure!(state["response"]["failures"] == json!([]), "{state}");
            return Ok(());
        }
        sleep(POLL).await;
    }
}

/// Restores a new snapshot of `index` from `repository` with "restored-" before its name.
async fn restore(client: &Search, repository: &str, index: &str) -> Result<()> {
    let settings = json!({"type": "fs", "settings": {"location": repository}});
    client.call(Method::PUT, &format!("_snapshot/{repository}"), &settings).await?;
    let snapshot = format!("_snapshot/{repository}/{}", uuid::Uuid::new_v4().simple());
    let only = json!({"indices": index, "include_global_state": false});
    let taken = client.call(Method::PUT, &format!("{snapshot}?wait_for_completion=true"), &only).await?;
    ensure!(taken["snapshot"]["state"] == "SUCCESS", "{taken}");
    let renamed = json!({
        "indices": index,
        "include_global_state": false,
        "include_aliases": false,
        "rename_pattern": "(.+)",
        "rename_replacement": "restored-$1",
    });
    let restored =
        client.call(Method::POST, &format!("{snapshot}/_restore?wait_for_completion=true"), &renamed).await?;
    ensure!(restored["snapshot"]["shards"]["failed"] == 0, "{restored}");
    Ok(())
}

/// Gives the alias to `copy`, and deletes `index`, in one step.
async fn swap(scene: &Scene, index: &str, copy: &str) -> Result<()> {
    let name = &scene.pipeline.config.elasticsearch.index_name;
    let actions = json!({"actions": [
        {"add": {"index": copy, "alias": name, "is_write_index": false}},
        {"remove_index": {"index": index}},
    ]});
    eventually(&format!("{copy} replaces {index}"), || async {
        if !scene.indices().await?.iter().any(|other| other == index) {
            return Ok(());
        }
        scene.any_node().await?.call(Method::POST, "_aliases", &actions).await.map(drop)
    })
    .await
}

impl Fault for Copied {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut indices = scene.indices().await?;
            // The write index stays.
            indices.pop();
            let Some(index) = indices.iter().find(|index| scene.is_original(index)) else { return Ok(()) };
            let copy = self.name(index);
            scene.search(Method::PUT, &format!("{index}/_block/write"), Value::Null).await?;
            eventually(&format!("{copy} has the documents of {index}"), || self.make(scene, index, &copy)).await?;
            let mut exceptions = scene.exceptions.lock().await;
            if exceptions.blind.contains(index) {
                exceptions.blind.insert(copy.clone());
            }
            drop(exceptions);
            swap(scene, index, &copy).await
        })
    }
}
