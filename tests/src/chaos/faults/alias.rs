//! The alias is removed from all indices, and later given back to them. Documents wait meanwhile.

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::eventually::eventually;
use crate::http::Method;

#[derive(Default)]
pub(crate) struct Alias {
    /// The indices that had the alias, each with whether it was the write index.
    before: Vec<(String, bool)>,
}

/// Returns the indices that have the alias, each with whether it is the write index.
async fn aliased(scene: &Scene) -> Result<Vec<(String, bool)>> {
    let name = scene.pipeline.config.elasticsearch.index_name.as_str();
    let answer = scene.search(Method::GET, &format!("*{name}-*/_alias?expand_wildcards=all"), Value::Null).await?;
    let indices = answer.as_object().into_iter().flatten();
    let aliased = indices.filter_map(|(index, aliases)| {
        let alias = aliases["aliases"].get(name)?;
        Some((index.clone(), alias["is_write_index"] == true))
    });
    Ok(aliased.collect())
}

impl Fault for Alias {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.before = aliased(scene).await?;
            let name = &scene.pipeline.config.elasticsearch.index_name;
            let remove = self.before.iter().map(|(index, _)| json!({"remove": {"index": index, "alias": name}}));
            let actions = json!({ "actions": remove.collect::<Vec<_>>() });
            eventually("the alias is removed", || async {
                if aliased(scene).await?.is_empty() {
                    return Ok(());
                }
                scene.any_node().await?.call(Method::POST, "_aliases", &actions).await.map(drop)
            })
            .await
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let name = &scene.pipeline.config.elasticsearch.index_name;
            let add = self
                .before
                .iter()
                .map(|(index, is_write)| json!({"add": {"index": index, "alias": name, "is_write_index": is_write}}));
            let actions = json!({ "actions": add.collect::<Vec<_>>() });
            scene.search(Method::POST, "_aliases", actions).await.map(drop)
        })
    }
}
