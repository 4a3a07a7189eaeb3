//! A schema with one more field is registered, and some events use it.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::audit::Intent;
use crate::audit::plan::Variant;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;

pub(crate) struct Schema;

impl Fault for Schema {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let name = scene.new_field().await;
            let text = Variant::schema(&[(&name, r#""string""#)]);
            scene.register(&text, Intent::Good, Variant::text("more")).await
        })
    }
}
