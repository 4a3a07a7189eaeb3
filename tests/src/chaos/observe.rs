//! What the services hold in the course of a run: memory, open files, threads.

use tokio::time::{Duration, Instant, sleep_until};

use super::scene::Scene;
use crate::held::Resources;

/// The time between two looks.
const INTERVAL: Duration = Duration::from_secs(5);

/// What one service held at one time.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The time since the start of the run.
    pub at: Duration,
    /// The number of the service, from 0: the receivers, then the indexers.
    pub service: usize,
    /// The process. It changes if the service was started again.
    pub process: u32,
    /// What it held.
    pub resources: Resources,
}

/// Looks at all services again and again until `end`. `begin` is the start of the run.
pub(super) async fn observe(scene: &Scene, begin: Instant, end: Instant) -> Vec<Held> {
    let mut held = Vec::new();
    let mut next = begin;
    while next < end {
        sleep_until(next).await;
        for (service, program) in scene.receivers.iter().chain(&scene.indexers).enumerate() {
            // A fault has a service to itself while it stops it.
            let Ok(program) = program.try_lock() else { continue };
            // A process that has just ended has no resources.
            let Some((process, resources)) = program.resources() else { continue };
            held.push(Held { at: begin.elapsed(), service, process, resources });
        }
        next += INTERVAL;
    }
    sleep_until(end).await;
    held
}
