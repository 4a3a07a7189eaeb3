//! How a fault is made to happen, and how it ends.

use anyhow::Result;
use futures::future::BoxFuture;

use super::scene::Scene;

/// A fault that is done to a scene.
pub trait Fault: Send {
    /// Makes it happen.
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>>;

    /// Ends it. What remains afterwards, the documents except or Penstock repairs.
    fn undo<'a>(&'a mut self, _scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
