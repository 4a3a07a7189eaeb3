//! The file with authorities (`elasticsearch.ca_file`), which may change at run time: an authority is replaced before
//! its certificate expires.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use service::reloaded::{Fingerprint, Look, Reloaded};
use service::tls;

use crate::elasticsearch::{LOOK_EVERY, SettingsError};

/// Holds the authorities as last read.
pub(super) struct Authorities {
    path: PathBuf,
    /// The certificates, as PEM.
    pem: Reloaded<Vec<u8>>,
    looked: Mutex<Instant>,
}

impl Authorities {
    /// Reads the file at `path` for the first time, at `now`.
    ///
    /// # Errors
    /// [`SettingsError`], if it cannot be read.
    pub(super) fn read(path: &Path, now: Instant) -> Result<Self, SettingsError> {
        let (seen, pem) = read(path)?;
        Ok(Self { path: path.to_owned(), pem: Reloaded::new(pem, seen), looked: Mutex::new(now) })
    }

    /// Returns the certificates, as PEM.
    pub(super) fn pem(&self) -> Arc<Vec<u8>> {
        self.pem.current()
    }

    /// Reads the file again if that is due at `now`. Passes certificates that have changed to `trust`; if they cannot
    /// be used, the last ones stay in use.
    pub(super) fn renew(&self, now: Instant, trust: impl FnOnce(&[u8]) -> Result<(), SettingsError>) {
        if !self.is_due(now) {
            return;
        }
        match self.pem.look(|| read(&self.path), |_, pem| trust(&pem).map(|()| pem)) {
            Look::Same | Look::Failed { is_new: false, .. } => {}
            Look::Renewed => {
                tracing::info!("The authorities in elasticsearch.ca_file have changed; the new ones count.")
            }
            Look::Failed { error, is_new: true } => {
                tracing::warn!(%error, "Cannot use the new authorities for Elasticsearch; the last ones stay in use.");
            }
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = now.saturating_duration_since(*looked) >= LOOK_EVERY;
        if is_due {
            *looked = now;
        }
        is_due
    }
}

fn read(path: &Path) -> Result<(Fingerprint, Vec<u8>), SettingsError> {
    let unreadable = |error| SettingsError::CaFile(format!("{}: {error}", path.display()));
    let pem = tls::read_pem(path).map_err(unreadable)?;
    Ok((Fingerprint::of([pem.as_slice()]), pem))
}

#[cfg(test)]
mod tests;
