//! The lifecycle policy, and whether the server can apply it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::logged::Logged;
use super::requests::{RequestError, Requests, allowed};
use super::resources;
use super::settings::IndexSettings;
use crate::config::Lifecycle;

/// Creates the lifecycle policy of an index, and knows the settings as they apply to the connected server.
#[derive(Debug)]
pub(super) struct Policy {
    requests: Requests,
    settings: Arc<IndexSettings>,
    /// Whether the server has nothing that carries the lifecycle out.
    without_lifecycle: AtomicBool,
    logged: Logged,
}

impl Policy {
    /// Creates the policy of `settings`. Sends nothing.
    pub(super) fn new(requests: &Requests, settings: &Arc<IndexSettings>) -> Self {
        Self {
            requests: requests.clone(),
            settings: Arc::clone(settings),
            without_lifecycle: AtomicBool::new(false),
            logged: Logged::default(),
        }
    }

    /// Returns the settings as they apply to the connected server, as far as it is known.
    pub(super) fn settings_here(&self) -> IndexSettings {
        let Some(server) = self.requests.client().server() else { return IndexSettings::clone(&self.settings) };
        let here = self.settings.on(server);
        let is_without = self.without_lifecycle.load(Ordering::Relaxed);
        if is_without { IndexSettings { lifecycle: Lifecycle::None, ..here } } else { here }
    }

    /// Creates or updates the policy. An `OpenSearch` without the plugin works without: the index is not rolled over.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn ensure(&self) -> Result<(), RequestError> {
        self.without_lifecycle.store(false, Ordering::Relaxed);
        let settings = self.settings_here();
        let Some(policy) = resources::policy(&settings) else {
            if self.settings.lifecycle == Lifecycle::Dsl && settings.lifecycle == Lifecycle::None {
                self.log_without("OpenSearch has no data stream lifecycle: set elasticsearch.lifecycle to ism.");
            }
            return Ok(());
        };
        match policy.ensure(&self.requests).await {
            Err(error) if settings.lifecycle == Lifecycle::Ism && error.is_no_endpoint() => {
                self.without_lifecycle.store(true, Ordering::Relaxed);
                self.log_without("OpenSearch lacks the plugin Index State Management: install it.");
                Ok(())
            }
            ensured => allowed(&self.settings.name, ensured).map(drop),
        }
    }

    fn log_without(&self, why: &str) {
        if self.logged.is_new(why.to_owned()) {
            let index = &self.settings.name;
            tracing::error!(index, "{why} Until then indices are neither rolled over nor deleted.");
        }
    }
}
