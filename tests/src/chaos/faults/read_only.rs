//! An index is made read-only, and later writable again.

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::chaos::fault::Which;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::http::Method;

pub(crate) struct ReadOnly {
    which: Which,
    index: Option<String>,
}

impl ReadOnly {
    pub(crate) fn new(which: Which) -> Self {
        Self { which, index: None }
    }
}

async fn block(scene: &Scene, index: &str, is_blocked: Value) -> Result<()> {
    scene
        .search(Method::PUT, &format!("{index}/_settings"), json!({ "index.blocks.write": is_blocked }))
        .await
        .map(drop)
}

impl Fault for ReadOnly {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.index = scene.index(self.which).await?;
            let Some(index) = &self.index else { return Ok(()) };
            block(scene, index, json!(true)).await
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(index) = &self.index else { return Ok(()) };
            scene.was_blind(index).await?;
            block(scene, index, Value::Null).await
        })
    }
}
