//! An index is closed, and later opened again.

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::chaos::fault::Which;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::http::Method;

pub(crate) struct Close {
    which: Which,
    index: Option<String>,
}

impl Close {
    pub(crate) fn new(which: Which) -> Self {
        Self { which, index: None }
    }
}

impl Fault for Close {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.index = scene.index(self.which).await?;
            let Some(index) = &self.index else { return Ok(()) };
            scene.search(Method::POST, &format!("{index}/_close"), Value::Null).await.map(drop)
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(index) = &self.index else { return Ok(()) };
            scene.was_blind(index).await?;
            scene.search(Method::POST, &format!("{index}/_open"), Value::Null).await.map(drop)
        })
    }
}
