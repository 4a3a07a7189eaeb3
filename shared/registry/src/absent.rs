//! What the registry does not have, or not in a usable form: for how long that is believed without asking again.
//!
//! A node of a registry reads what was registered from the others, and may be seconds behind. An id stands in an event
//! because some registry gave it, so the first "not found" of an id is no verdict: it is "not yet" until the registry
//! has said so for `schema_registry.patience`, and asked again every second meanwhile. The same holds for what the schema
//! of an id refers to. Registries count ids up: one far beyond the highest that was seen was given by none, and most
//! likely is no id at all.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moka::future::Cache;

use super::{RegistryError, Wanted};
use crate::wire::SchemaId;

/// How often a registry that has it "not yet" is asked again.
const RECHECK: Duration = Duration::from_secs(1);

/// How long it is remembered since when something is missing, after it was asked for last. A later question gets the
/// verdict at once.
const REMEMBERED: Duration = Duration::from_secs(600);

/// How far beyond twice the highest id that was seen one may be, to be one that was given lately.
const LATELY: u32 = 10_000;

pub(super) struct Absent {
    patience: Duration,
    /// The highest id that the registry gave; 0 as long as it gave none.
    highest: AtomicU32,
    /// When each was found to be missing for the first time.
    since: Cache<Wanted, Instant>,
    not_yet: Cache<Wanted, RegistryError>,
    verdicts: Cache<Wanted, RegistryError>,
}

impl Absent {
    pub(super) fn new(config: &config::SchemaRegistry, capacity: u64) -> Self {
        let remembering = |time| Cache::builder().max_capacity(capacity).time_to_live(time).build();
        Self {
            patience: config.patience,
            highest: AtomicU32::new(0),
            since: Cache::builder().max_capacity(capacity).time_to_idle(REMEMBERED.max(config.patience * 2)).build(),
            not_yet: remembering(config.negative_ttl.min(RECHECK)),
            verdicts: remembering(config.negative_ttl),
        }
    }

    /// For how long "not found" is "not yet".
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Notes that the registry has `id`.
    pub(super) fn seen(&self, id: SchemaId) {
        self.highest.fetch_max(id.0, Ordering::Relaxed);
    }

    /// Returns why there is no `wanted`, if the registry said so a moment ago.
    pub(super) async fn known(&self, wanted: &Wanted) -> Option<RegistryError> {
        match self.verdicts.get(wanted).await {
            Some(error) => Some(error),
            None => self.not_yet.get(wanted).await,
        }
    }

    /// Notes that the registry answered the question for `wanted` with `error`; returns what that means for the
    /// question.
    pub(super) async fn note(&self, wanted: Wanted, error: &RegistryError) -> RegistryError {
        let error = match (error, self.may_come(&wanted, error).await) {
            (RegistryError::NotFound { url, what }, true) => {
                RegistryError::NotYet { url: url.clone(), what: what.clone() }
            }
            // The schema is there, without one that it refers to.
            (RegistryError::NotYet { url, what }, false) => {
                RegistryError::Unusable { url: url.clone(), what: what.clone(), reason: "it is not there".to_owned() }
            }
            (error, _) => error.clone(),
        };
        match &error {
            RegistryError::NotYet { .. } => self.not_yet.insert(wanted, error.clone()).await,
            RegistryError::NotFound { .. } | RegistryError::Unusable { .. } => {
                self.verdicts.insert(wanted, error.clone()).await;
            }
            RegistryError::Unavailable { .. } | RegistryError::Ambiguous { .. } => {}
        }
        error
    }

    /// Forgets that `wanted` is missing: it was registered.
    pub(super) async fn forget(&self, wanted: &Wanted) {
        self.since.invalidate(wanted).await;
        self.not_yet.invalidate(wanted).await;
        self.verdicts.invalidate(wanted).await;
    }

    /// Returns whether `wanted`, for which the answer was `error`, may be there already, at another node.
    async fn may_come(&self, wanted: &Wanted, error: &RegistryError) -> bool {
        if !matches!(error, RegistryError::NotFound { .. } | RegistryError::NotYet { .. }) {
            return false;
        }
        let (Wanted::Id(SchemaId(id)) | Wanted::Owner(SchemaId(id))) = *wanted else { return false };
        let highest = self.highest.load(Ordering::Relaxed);
        if highest > 0 && id > highest.saturating_mul(2).saturating_add(LATELY) {
            return false;
        }
        let since = match self.since.get(wanted).await {
            Some(since) => since,
            None => self.since.get_with(wanted.clone(), async { Instant::now() }).await,
        };
        since.elapsed() < self.patience
    }
}
