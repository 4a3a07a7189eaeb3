//! An operator deletes the index template. The indexers create it again.

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::http::Method;

pub(crate) struct Template;

impl Fault for Template {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let name = &scene.pipeline.config.elasticsearch.index_name;
            let client = scene.any_node().await?;
            let deleted = client.call(Method::DELETE, &format!("_index_template/penstock-{name}"), &Value::Null).await;
            deleted.inspect_err(|error| eprintln!("template: {error:#}")).ok();
            Ok(())
        })
    }
}
