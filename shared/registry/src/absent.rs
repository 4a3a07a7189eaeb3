//! Remembers what the registry does not have, or has only in an unusable form, and for how long to believe that.
//!
//! A node of a registry replicates what was registered at the others, and may be seconds behind. An id is in an event
//! because some registry issued it, so the first "not found" for an id means "not yet". It becomes final only after the
//! registry has repeated it for `schema_registry.patience`; meanwhile Penstock asks again every second. The same holds
//! for the references of a schema, and for a version that an event names by its number, by a fingerprint or by its
//! text. Registries count ids up, so an id far beyond the highest known one was never issued, and most likely is not an
//! id at all.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moka::future::Cache;

use super::{RegistryError, Wanted};
use crate::wire::SchemaId;

/// The interval between two requests for something that is "not yet" there.
const RECHECK: Duration = Duration::from_secs(1);

/// How long the time of the first "not found" is remembered after the last request. A later request gets the final
/// answer immediately.
const REMEMBERED: Duration = Duration::from_secs(600);

/// How far an id may exceed twice the highest known id and still count as newly issued.
const LATELY: u32 = 10_000;

pub(super) struct Absent {
    patience: Duration,
    /// The highest id that the registry has issued; 0 before the first one.
    highest: AtomicU32,
    /// When each item was first found missing.
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

    /// Returns how long "not found" counts as "not yet".
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Notes that the registry has `id`.
    pub(super) fn seen(&self, id: SchemaId) {
        self.highest.fetch_max(id.0, Ordering::Relaxed);
    }

    /// Returns the error for `wanted` if the registry gave one a moment ago.
    pub(super) async fn known(&self, wanted: &Wanted) -> Option<RegistryError> {
        match self.verdicts.get(wanted).await {
            Some(error) => Some(error),
            None => self.not_yet.get(wanted).await,
        }
    }

    /// Notes that the registry answered the request for `wanted` with `error`. Returns the error to report.
    pub(super) async fn note(&self, wanted: Wanted, error: &RegistryError) -> RegistryError {
        let error = match (error, self.may_come(&wanted, error).await) {
            (RegistryError::NotFound { url, what }, true) => {
                RegistryError::NotYet { url: url.clone(), what: what.clone() }
            }
            // The schema exists, but one of its references does not.
            (RegistryError::NotYet { url, what }, false) => {
                RegistryError::Unusable { url: url.clone(), what: what.clone(), reason: "it does not exist".to_owned() }
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

    /// Forgets that `wanted` is missing, since it was registered.
    pub(super) async fn forget(&self, wanted: &Wanted) {
        self.since.invalidate(wanted).await;
        self.not_yet.invalidate(wanted).await;
        self.verdicts.invalidate(wanted).await;
    }

    /// Returns whether another node may already have `wanted`, for which the answer was `error`.
    async fn may_come(&self, wanted: &Wanted, error: &RegistryError) -> bool {
        if !matches!(error, RegistryError::NotFound { .. } | RegistryError::NotYet { .. }) {
            return false;
        }
        let highest = self.highest.load(Ordering::Relaxed);
        match *wanted {
            // A subject is in the config. A source without its schema waits for it in any case.
            Wanted::Subject(_) => return false,
            Wanted::Id(SchemaId(id)) | Wanted::Owner(SchemaId(id))
                if highest > 0 && id > highest.saturating_mul(2).saturating_add(LATELY) =>
            {
                return false;
            }
            _ => {}
        }
        let since = match self.since.get(wanted).await {
            Some(since) => since,
            None => self.since.get_with(wanted.clone(), async { Instant::now() }).await,
        };
        since.elapsed() < self.patience
    }
}
