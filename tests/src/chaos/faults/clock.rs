//! A clock steps, and later steps back. Within the margin nothing may happen. Beyond it, an event may become two
//! documents (`docs/placement.md`, "What remains uncertain").

use std::time::Duration;

use anyhow::Result;
use futures::future::BoxFuture;
use tokio::time::sleep;

use crate::chaos::fault::{Clock, Service, Which};
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;

/// How long a service may take to notice, in milliseconds.
const NOTICE: i64 = 2_000;

pub(crate) struct Step {
    clock: Clock,
    ahead: i64,
    /// The newest index before an indexer's clock was ahead by more than half a margin.
    newest: Option<String>,
}

impl Step {
    pub(crate) fn new(clock: Clock, ahead: i64) -> Self {
        Self { clock, ahead, newest: None }
    }

    /// Returns by how much the senders' clock is ahead of a receiver's.
    fn sender_ahead(&self) -> i64 {
        match self.clock {
            Clock::Sender => self.ahead,
            Clock::Of(Service::Receiver(_)) => -self.ahead,
            Clock::Of(Service::Indexer(_)) => 0,
        }
    }

    /// Returns by how much an indexer's clock is ahead of Elasticsearch's.
    fn indexer_ahead(&self) -> i64 {
        match self.clock {
            Clock::Of(Service::Indexer(_)) => self.ahead,
            Clock::Sender | Clock::Of(Service::Receiver(_)) => 0,
        }
    }

    async fn set(&self, scene: &Scene, ahead: i64) -> Result<()> {
        match self.clock {
            Clock::Sender => scene.sender.set_clock(ahead),
            Clock::Of(service) => {
                if !scene.program(service).lock().await.set_clock(ahead)? {
                    eprintln!("{service:?} keeps its clock: libfaketime is not installed (Debian package libfaketime)");
                }
            }
        }
        Ok(())
    }
}

/// Notes that an indexer may have written to `old` and later indices what belongs to the indices after them.
async fn were_outdated(scene: &Scene, old: &str) -> Result<()> {
    let indices = scene.indices().await?;
    let newest = indices.len().saturating_sub(1);
    // Some of them may be copies by now.
    let outdated = indices.into_iter().take(newest).filter(|index| scene.age(index) >= scene.age(old));
    scene.exceptions.lock().await.blind.extend(outdated);
    Ok(())
}

impl Fault for Step {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let tolerance = scene.margin() / 4;
            if self.sender_ahead() > tolerance {
                scene.exceptions.lock().await.tolerance = Some(tolerance);
            }
            if self.indexer_ahead() > scene.margin() / 2 {
                self.newest = scene.index(Which::Newest).await?;
            }
            self.set(scene, self.ahead).await
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.set(scene, 0).await?;
            let Some(old) = &self.newest else { return Ok(()) };
            // A list that was read before the step back counts as current for this long.
            let current = Duration::from_millis(u64::try_from(self.ahead + scene.margin() + NOTICE)?);
            sleep(current).await;
            were_outdated(scene, old).await
        })
    }
}
