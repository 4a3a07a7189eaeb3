//! Two schemas give one field two types. What the index has the first type for, it may refuse of the second.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::audit::Intent;
use crate::audit::plan::Variant;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;

pub(crate) struct Contradiction;

impl Fault for Contradiction {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let name = scene.new_field().await;
            let number = Variant::schema(&[(&name, r#""int""#)]);
            // 7
            scene.register(&number, Intent::Good, vec![14]).await?;
            let text = Variant::schema(&[(&name, r#""string""#)]);
            scene.register(&text, Intent::Dead, Variant::text("seven")).await
        })
    }
}
