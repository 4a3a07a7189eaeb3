//! Two schemas give one field different types. An index that has the first type may refuse values of the second.

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
            // The value 7.
            scene.register(&number, Intent::Good, vec![14]).await?;
            let text = Variant::schema(&[(&name, r#""string""#)]);
            scene.register(&text, Intent::Dead, Variant::text("seven")).await
        })
    }
}
