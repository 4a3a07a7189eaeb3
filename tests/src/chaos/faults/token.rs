//! The token of the senders is replaced: for a while both tokens are accepted, then only the new one.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;

#[derive(Default)]
pub(crate) struct Token {
    new: String,
}

impl Fault for Token {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.new = format!("token-{}", uuid::Uuid::new_v4().simple());
            let old = scene.token.lock().await.clone();
            scene.write_tokens(&format!("{old}\n{}\n", self.new))
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            scene.sender.use_token(&self.new);
            scene.write_tokens(&self.new)?;
            self.new.clone_into(&mut *scene.token.lock().await);
            Ok(())
        })
    }
}
