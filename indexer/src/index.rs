//! The index that documents are written to, for every strategy. Policy, templates and the first index are created at
//! start if they are missing, and again if they disappear. New fields of a schema are added before its first
//! document.
//!
//! Any number of indexers may do so at the same time. [`Index`] puts the parts together, each of which owns one thing:
//! `bootstrap` has the steps before the first document, `policy`, `component_template`, `index_template` and
//! `creation` what these steps create; `known_fields` is what the schemas define, `live_mappings` what the indices
//! have of it, and `evolve` closes the gap; `indices` lists the indices, `shadow` checks which template the next one
//! gets, `retention` how long one is kept, and `strays` repairs re-created ones. `resources` describes what must
//! exist, `managed` knows whether a policy or template is ours, and `requests` sends. [`mapping`] describes the
//! fields. A new concern gets a file with its own part.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use avro::Schema;
use service::admin::Condition;
use service::backoff::Backoff;
use tokio::sync::Mutex;

use crate::metrics::Metrics;

use bootstrap::Bootstrap;
use component_template::ComponentTemplate;
use creation::Creation;
use evolve::Evolution;
use index_template::IndexTemplate;
use known_fields::KnownFields;
use live_mappings::LiveMappings;
pub(crate) use logged::Logged;
pub use name::check_name;
use persistence::Persistence;
use policy::Policy;
pub use requests::{RequestError, Requests};
pub(crate) use resolved::Resolved;
use retention::RetentionReader;
pub use settings::IndexSettings;
use shadow::ShadowCheck;
use strays::Strays;

mod bootstrap;
mod component_template;
mod creation;
mod evolve;
#[cfg(test)]
mod fake;
mod index_template;
mod indices;
mod known_fields;
mod lifecycle;
mod live_mappings;
mod logged;
mod managed;
pub mod mapping;
mod name;
mod persistence;
mod policy;
mod requests;
mod resolved;
mod resources;
mod retention;
mod settings;
mod shadow;
mod strays;
pub(crate) mod swap;
pub(crate) mod verdict;

/// The index of one topic.
#[derive(Debug)]
pub struct Index {
    /// Sends the requests about the index.
    pub(crate) requests: Requests,
    settings: Arc<IndexSettings>,
    /// The fields that the schemas define.
    pub(crate) fields: Arc<KnownFields>,
    policy: Arc<Policy>,
    /// Which template the next index is created with.
    pub(crate) shadow: Arc<ShadowCheck>,
    /// How long the lifecycle keeps an index.
    pub(crate) retention: RetentionReader,
    /// The backing indices that documents created again.
    pub(crate) strays: Arc<Strays>,
    creation: Arc<Creation>,
    /// How the fields get into template and indices.
    pub(crate) evolution: Arc<Evolution>,
    /// The steps before the first document.
    pub(crate) bootstrap: Arc<Bootstrap>,
    persistence: Persistence,
    /// Lets one task work at a time: if the index is gone, all batches in flight notice together.
    turn: Mutex<()>,
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
        let settings = Arc::new(settings);
        let fields = Arc::new(KnownFields::new(&requests, &settings));
        let policy = Arc::new(Policy::new(&requests, &settings));
        let shadow = Arc::new(ShadowCheck::new(&requests, &settings, metrics.template_shadowed));
        let strays = Arc::new(Strays::new(&requests, &settings));
        let creation = Arc::new(Creation::new(&requests, &settings, &fields, &strays));
        let mappings = LiveMappings::new(&requests, &fields, metrics.mapping_conflicts);
        let template = ComponentTemplate::new(&requests, &policy, &fields);
        let evolution = Arc::new(Evolution::new(&requests, &settings, &fields, mappings, template, &shadow, &creation));
        let bootstrap = Arc::new(Bootstrap {
            requests: requests.clone(),
            settings: Arc::clone(&settings),
            policy: Arc::clone(&policy),
            evolution: Arc::clone(&evolution),
            index_template: IndexTemplate::new(&requests, &policy, &fields),
            strays: Arc::clone(&strays),
            creation: Arc::clone(&creation),
        });
        Self {
            retention: RetentionReader::new(&requests, &policy, &shadow),
            persistence: Persistence::new(settings.name.clone(), backoff, condition),
            requests,
            settings,
            fields,
            policy,
            shadow,
            strays,
            creation,
            evolution,
            bootstrap,
            turn: Mutex::new(()),
        }
    }

    /// Returns the name of the index.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Creates what is missing: policy, templates and the first index. Tries until Elasticsearch answers.
    pub async fn ensure(&self, known: Known) {
        let _turn = self.turn.lock().await;
        self.persistence.run("index", || self.bootstrap.run(known)).await;
        self.persistence.run("retention", || self.retention.read()).await;
        self.shadow.check().await;
    }

    /// Checks the index `name`, which has become the write index and may have been created with another template.
    /// Adds the known fields before the first document.
    pub async fn check_new(&self, name: &str) {
        self.shadow.check().await;
        self.prepare(name).await;
    }

    /// Creates the index `name` of the strategy `time` if it is missing. A document creates it on its own, unless the
    /// cluster or another template forbids that (`action.auto_create_index`). Tries until Elasticsearch answers.
    /// Returns whether the index was missing.
    pub async fn ensure_dated(&self, name: &str) -> bool {
        let _turn = self.turn.lock().await;
        let is_made = AtomicBool::new(false);
        let attempt = || async {
            is_made.store(self.creation.make_dated(name).await?, Ordering::Relaxed);
            Ok(())
        };
        self.persistence.run("index", attempt).await;
        is_made.into_inner()
    }

    /// Sets up the index once, for a command. Returns the requests that a dry run would have sent.
    ///
    /// # Errors
    /// [`RequestError`], with Elasticsearch's reason for a refusal.
    pub async fn set_up(&self) -> Result<Vec<String>, RequestError> {
        self.bootstrap.run(Known::Missing).await?;
        self.evolution.evolve_all().await?;
        Ok(self.requests.take_kept())
    }

    /// Adds the fields of `schema` to the template and the indices before its documents arrive. Tries until
    /// Elasticsearch answers. A permanent refusal is reported, and the documents are sent all the same. Sends nothing
    /// if `schema` has no new fields.
    pub async fn adopt(&self, schema: &Schema) {
        self.fields.learn(schema);
        if self.evolution.is_evolved() {
            return;
        }
        let _turn = self.turn.lock().await;
        if !self.evolution.is_evolved() {
            self.persistence.run("mapping", || self.evolution.evolve()).await;
        }
    }

    /// Makes sure that `index`, which is about to receive documents, has all known fields. Sends nothing if it is
    /// known to have them. Tries until Elasticsearch answers.
    pub async fn prepare(&self, index: &str) {
        if self.evolution.is_prepared(index) {
            return;
        }
        let _turn = self.turn.lock().await;
        if !self.evolution.is_prepared(index) {
            self.persistence.run("mapping", || self.evolution.evolve_one(index)).await;
        }
    }

    /// Adds all known fields to template and indices again, because an index was re-created or restored without some
    /// of them.
    pub async fn adopt_again(&self) {
        let _turn = self.turn.lock().await;
        let used = self.evolution.take_prepared();
        self.persistence.run("mapping", || self.evolution.evolve()).await;
        for index in used.iter().filter(|index| !self.evolution.is_prepared(index)) {
            self.persistence.run("mapping", || self.evolution.evolve_one(index)).await;
        }
    }
}

#[cfg(test)]
mod tests;
