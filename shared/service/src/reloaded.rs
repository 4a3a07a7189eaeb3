//! Values made from files, and renewed when the files change: certificates, secrets.
//!
//! Changes are detected by content, not by modification time: if a file is a link that is switched to another target,
//! as in Kubernetes, its time says little. The owner of a [`Reloaded`] decides when to look, and logs the outcome.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};

/// Holds a value made from files.
#[derive(Debug)]
pub struct Reloaded<T> {
    current: ArcSwap<T>,
    last: Mutex<Last>,
}

/// The result of the last look.
#[derive(Debug)]
struct Last {
    seen: Fingerprint,
    /// Why the look failed; empty if it succeeded.
    failure: String,
}

/// Identifies contents by a hash, so that no secret is kept for the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of `parts`. The boundaries between parts count.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

/// The result of a look at the files.
#[derive(Debug)]
pub enum Look<E> {
    /// The contents are unchanged.
    Same,
    /// The contents have changed, and the new value is in use.
    Renewed,
    /// The contents cannot be used; the last value stays in use.
    Failed {
        /// Why.
        error: E,
        /// Whether the reason differs from that of the previous look. A repeated reason is not logged again.
        is_new: bool,
    },
}

impl<T> Reloaded<T> {
    /// Keeps `value`, made from contents with the fingerprint `seen`.
    pub fn new(value: T, seen: Fingerprint) -> Self {
        Self { current: ArcSwap::from_pointee(value), last: Mutex::new(Last { seen, failure: String::new() }) }
    }

    /// Returns the value in use.
    pub fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Reads the contents with `read`. If they have changed, makes the next value with `renew`. If either fails, the
    /// value in use stays.
    pub fn look<C, E: Display>(
        &self,
        read: impl FnOnce() -> Result<(Fingerprint, C), E>,
        renew: impl FnOnce(&T, C) -> Result<T, E>,
    ) -> Look<E> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = read().and_then(|(found, contents)| {
            if found == last.seen {
                return Ok(None);
            }
            let value = renew(&self.current.load(), contents)?;
            self.current.store(Arc::new(value));
            Ok(Some(found))
        });
        match renewed {
            Ok(found) => {
                last.failure.clear();
                let Some(found) = found else { return Look::Same };
                last.seen = found;
                Look::Renewed
            }
            Err(error) => {
                let failure = error.to_string();
                let is_new = failure != last.failure;
                last.failure = failure;
                Look::Failed { error, is_new }
            }
        }
    }
}

#[cfg(test)]
mod tests;
