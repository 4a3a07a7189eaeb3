//! Work that takes a thread for more than a moment: away from the threads that serve requests, and only as much of it
//! at a time as there are cores.

use std::num::NonZero;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WorkError {
    /// No thread was free in time.
    #[error("no thread was free in time")]
    Busy,
    /// The work panicked.
    #[error("the work panicked")]
    Panicked,
}

/// Threads for long work.
#[derive(Debug)]
pub(crate) struct Workers {
    permits: Arc<Semaphore>,
}

impl Default for Workers {
    /// As many as the machine has cores.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { permits: Arc::new(Semaphore::new(cores)) }
    }
}

impl Workers {
    /// Does `work` on a thread of its own, once there is a permit for it. A request that is given up takes its permit
    /// until the work is done.
    ///
    /// # Errors
    /// [`WorkError::Busy`] when there was no permit by `deadline`; [`WorkError::Panicked`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        let Ok(Ok(permit)) = timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await else {
            return Err(WorkError::Busy);
        };
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.map_err(|_panicked| WorkError::Panicked)
    }
}
