//! The index that documents are written to, for every strategy. Policy, templates and the first index are created at
//! start if they are missing, and again if they disappear. New fields of a schema are added before its first
//! document.
//!
//! Any number of indexers may do so at the same time. `resources` describes what must exist, `bootstrap` creates it,
//! `evolve` adds the fields of a new schema, `managed` knows whether a policy or template is ours, and `requests`
//! sends. [`mapping`] describes the fields.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use avro::Schema;
use serde_json::Value;
use service::admin::Condition;
use tokio::sync::Mutex;

use crate::backoff::Backoff;
use crate::config::Lifecycle;
use crate::elasticsearch::server::Server;
use crate::metrics::Metrics;
use crate::placement::Retention;

pub use name::check_name;
pub use requests::{RequestError, Requests};
pub use settings::IndexSettings;
use state::IndexState;

mod bootstrap;
mod current;
mod evolve;
#[cfg(test)]
mod fake;
mod lifecycle;
mod managed;
pub mod mapping;
mod name;
mod requests;
mod resources;
mod retention;
mod settings;
mod shadow;
mod state;
mod strays;
pub(crate) mod swap;
mod template;
pub(crate) mod verdict;

/// The longest wait between attempts, so that a returning Elasticsearch is noticed soon.
const MAX_WAIT: Duration = Duration::from_secs(3);
/// The most fields that all schemas of one index may have together.
const MAX_FIELDS: usize = 10_000;
/// How many contradicting schemas are remembered.
const MAX_CONTRADICTING: usize = 64;
/// The index of one topic.
#[derive(Debug)]
pub struct Index {
    requests: Requests,
    settings: IndexSettings,
    backoff: Backoff,
    condition: Condition,
    metrics: Metrics,
    /// Whether manual changes are overwritten.
    force: bool,
    retention: Arc<Retention>,
    /// Lets one task work at a time: if the index is gone, every batch in flight notices at once.
    turn: Mutex<()>,
    state: StdMutex<IndexState>,
}

/// What is known about the index before the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// The index is missing, according to the answer to a bulk request.
    Missing,
}

impl Index {
    /// Creates the index of `settings`. It is read and changed by `requests`; those of a dry run change nothing, and
    /// [`Index::set_up`] returns what would be sent. `condition` is met while the index exists.
    pub fn new(
        requests: Requests,
        settings: IndexSettings,
        backoff: Backoff,
        condition: Condition,
        metrics: Metrics,
    ) -> Self {
        let backoff = Backoff { max: backoff.max.min(MAX_WAIT), ..backoff };
        Self {
            state: StdMutex::new(IndexState::new(mapping::without_fields(&settings.mapping))),
            requests,
            settings,
            backoff,
            condition,
            metrics,
            force: false,
            retention: Arc::default(),
            turn: Mutex::new(()),
        }
    }

    /// Sets whether manual changes are overwritten.
    #[must_use]
    pub fn forced(self, force: bool) -> Self {
        Self { force, ..self }
    }

    /// Returns the name of the index.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Creates what is missing: policy, templates and the first index. Tries until Elasticsearch answers.
    pub async fn ensure(&self, known: Known) {
        let _turn = self.turn.lock().await;
        self.persist("index", || self.bootstrap(known)).await;
        self.persist("retention", || self.read_retention()).await;
        self.check_template().await;
    }

    /// Checks the index `name`, which has become the write index and may have been created with another template.
    /// Adds the known fields before the first document.
    pub async fn check_new(&self, name: &str) {
        self.check_template().await;
        self.prepare(name).await;
    }

    /// Creates the index `name` of the strategy `time` if it is missing. A document creates it on its own, unless the
    /// cluster or another template forbids that (`action.auto_create_index`). Tries until Elasticsearch answers.
    /// Returns whether the index was missing.
    pub async fn ensure_dated(&self, name: &str) -> bool {
        let _turn = self.turn.lock().await;
        let is_made = AtomicBool::new(false);
        let attempt = || async {
            is_made.store(self.make_dated(name).await?, Ordering::Relaxed);
            Ok(())
        };
        self.persist("index", attempt).await;
        is_made.into_inner()
    }

    /// Sets up the index once, for a command. Returns the requests that a dry run would have sent.
    ///
    /// # Errors
    /// [`RequestError`], with Elasticsearch's reason for a refusal.
    pub async fn set_up(&self) -> Result<Vec<String>, RequestError> {
        self.bootstrap(Known::Missing).await?;
        self.evolve_all().await?;
        Ok(self.requests.take_kept())
    }

    /// Remembers the fields of `schema` for the next check of the index. Sends nothing.
    pub fn learn(&self, schema: &Schema) {
        let generated = mapping::generate(schema, &self.settings.mapping);
        for note in generated.notes.iter().filter(|note| note.kind != mapping::NoteKind::Unused) {
            tracing::warn!(index = self.name(), %note, "A field is not mapped as its schema defines it.");
        }
        let mut state = self.state();
        let chosen = &self.settings.mapping.config.fields;
        let mut merged = mapping::compare::merge(&state.mapping, &generated.mapping, chosen);
        let fields = mapping::count_fields(&merged);
        let is_too_large = fields > MAX_FIELDS;
        if is_too_large {
            tracing::error!(
                index = self.name(),
                fields,
                most = MAX_FIELDS,
                "All schemas together exceed the field limit of an index; the fields of the newest are in its documents, \
                 but cannot be searched for."
            );
            merged.clone_from(&state.mapping);
        }
        if is_too_large || generated.mapping["dynamic"] == "false" {
            mapping::leave_others_out(&mut merged);
        }
        let mut is_new = state.mapping != merged;
        state.mapping = merged;
        // Fields that are left out contradict nothing.
        let contradicts =
            !is_too_large && !mapping::compare::compare(&generated.mapping, &state.mapping).conflicts.is_empty();
        if contradicts
            && !state.contradicting.contains(&generated.mapping)
            && state.contradicting.len() < MAX_CONTRADICTING
        {
            state.contradicting.push(generated.mapping);
            is_new = true;
        }
        state.version += u64::from(is_new);
    }

    /// Adds the fields of `schema` to the template and the indices before its documents arrive. Tries until
    /// Elasticsearch answers. A permanent refusal is reported, and the documents are sent all the same. Sends nothing
    /// if `schema` has no new fields.
    pub async fn adopt(&self, schema: &Schema) {
        self.learn(schema);
        if self.is_evolved() {
            return;
        }
        let _turn = self.turn.lock().await;
        if !self.is_evolved() {
            self.persist("mapping", || self.evolve()).await;
        }
    }

    /// Makes sure that `index`, which is about to receive documents, has all known fields. Sends nothing if it is
    /// known to have them. Tries until Elasticsearch answers.
    pub async fn prepare(&self, index: &str) {
        if self.is_prepared(index) {
            return;
        }
        let _turn = self.turn.lock().await;
        if !self.is_prepared(index) {
            self.persist("mapping", || self.evolve_one(index)).await;
        }
    }

    /// Forgets that `index` has all known fields, because it was re-created or restored. [`Index::prepare`] checks it
    /// again.
    pub fn forget(&self, index: &str) {
        self.state().prepared.remove(index);
    }

    fn is_evolved(&self) -> bool {
        self.state().is_evolved()
    }

    fn is_prepared(&self, index: &str) -> bool {
        self.state().is_prepared(index)
    }

    /// Adds all known fields to template and indices again, because an index was re-created or restored without some
    /// of them.
    pub async fn adopt_again(&self) {
        let _turn = self.turn.lock().await;
        let used: Vec<String> = self.state().prepared.drain().map(|(index, _)| index).collect();
        self.persist("mapping", || self.evolve()).await;
        for index in used.iter().filter(|index| !self.is_prepared(index)) {
            self.persist("mapping", || self.evolve_one(index)).await;
        }
    }

    /// Returns the settings as they apply to the connected server, as far as it is known.
    fn settings_here(&self) -> IndexSettings {
        let Some(server) = self.server() else { return self.settings.clone() };
        let here = self.settings.on(server);
        if self.state().without_lifecycle { IndexSettings { lifecycle: Lifecycle::None, ..here } } else { here }
    }

    /// Returns the mapping of all schemas seen, in the form that the server accepts.
    fn known_mapping(&self) -> Value {
        self.for_server(self.state().mapping.clone())
    }

    fn for_server(&self, mapping: Value) -> Value {
        if self.requests.client().is_opensearch() { mapping::flavour::for_opensearch(mapping) } else { mapping }
    }

    fn server(&self) -> Option<Server> {
        self.requests.client().server()
    }

    /// Runs `attempt` until it succeeds. Until then the condition gives the reason for the failure.
    async fn persist<F: Future<Output = Result<(), RequestError>>>(&self, what: &str, attempt: impl Fn() -> F) {
        let mut failures = 0;
        while let Err(error) = attempt().await {
            failures += 1;
            let reason = format!("{what} of {:?} is not there yet: {error}", self.name());
            // Logs the first failure, and then each time the number has doubled.
            if u32::is_power_of_two(failures) {
                tracing::warn!(index = self.name(), %error, attempts = failures, "The {what} could not be verified; trying again.");
            }
            self.condition.unmet(reason);
            let wait = self.backoff.wait(failures, &mut rand::rng());
            tokio::time::sleep(wait).await;
        }
        self.condition.met();
    }

    fn state(&self) -> MutexGuard<'_, IndexState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
