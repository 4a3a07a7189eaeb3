//! An operator rolls the index over, by hand or by size.

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::json;

use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::http::Method;

pub(crate) struct RollOver(Option<u32>);

impl RollOver {
    pub(crate) fn new(documents: Option<u32>) -> Self {
        Self(documents)
    }
}

impl Fault for RollOver {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let name = &scene.pipeline.config.elasticsearch.index_name;
            let condition = self.0.map_or(json!({}), |documents| json!({"conditions": {"max_docs": documents}}));
            let rolled = scene.any_node().await?.call(Method::POST, &format!("{name}/_rollover"), &condition).await;
            // This fails, for example, if an index is closed.
            rolled.inspect_err(|error| eprintln!("rollover: {error:#}")).ok();
            Ok(())
        })
    }
}
