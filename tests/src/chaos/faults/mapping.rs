//! An operator makes the mapping of the newest index strict, so that unknown fields are refused.

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::json;

use crate::chaos::fault::Which;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::http::Method;

pub(crate) struct Strict;

impl Fault for Strict {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(index) = scene.index(Which::Newest).await? else { return Ok(()) };
            scene.search(Method::PUT, &format!("{index}/_mapping"), json!({"dynamic": "strict"})).await.map(drop)
        })
    }
}
