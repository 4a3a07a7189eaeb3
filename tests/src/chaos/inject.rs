//! The interface of a fault: how it begins and how it ends.

use anyhow::Result;
use futures::future::BoxFuture;

use super::scene::Scene;

/// Injects a fault into a scene.
pub trait Fault: Send {
    /// Begins the fault.
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>>;

    /// Ends the fault. Lasting effects are documented exceptions, or are repaired by Penstock.
    fn undo<'a>(&'a mut self, _scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
