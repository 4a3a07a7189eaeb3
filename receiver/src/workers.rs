//! Runs long computations away from the threads that serve requests, and no more at a time than there are cores.

use std::num::NonZero;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Says why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WorkError {
    /// No thread was free in time.
    #[error("no thread was free in time")]
    Busy,
    /// The work panicked.
    #[error("the work panicked")]
    Panicked,
}

/// Limits long computations to a number of threads. Clones share the number.
#[derive(Clone, Debug)]
pub(crate) struct Workers {
    permits: Arc<Semaphore>,
}

impl Default for Workers {
    /// Allows as many threads as the machine has cores.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { permits: Arc::new(Semaphore::new(cores)) }
    }
}

impl Workers {
    /// Runs `work` on its own thread once a permit is free. If the request is abandoned, the permit is held until the
    /// work ends.
    ///
    /// # Errors
    /// [`WorkError::Busy`] when no permit was free by `deadline`; [`WorkError::Panicked`].
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
