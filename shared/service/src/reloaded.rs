//! What is made of files, and made again once they hold something else: certificates, secrets.
//!
//! The files are read, not asked for their time: where a file is a link that is turned to another one, as in
//! Kubernetes, the time says little. Who owns a [`Reloaded`] says when to look, and logs what came of it.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};

/// A value made of files.
#[derive(Debug)]
pub struct Reloaded<T> {
    current: ArcSwap<T>,
    last: Mutex<Last>,
}

/// What was seen at the last look.
#[derive(Debug)]
struct Last {
    seen: Fingerprint,
    /// Why the look failed; empty where it did not.
    failure: String,
}

/// What tells contents from other contents: a hash, so that no secret is kept for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Returns that of `parts`, each of which counts.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

/// What came of a look at the files.
#[derive(Debug)]
pub enum Look<E> {
    /// They hold what they held.
    Same,
    /// What they hold now is in use.
    Renewed,
    /// They cannot be used; the last value stays in use.
    Failed {
        /// Why.
        error: E,
        /// Whether it is another reason than at the look before: the same is not logged again.
        is_new: bool,
    },
}

impl<T> Reloaded<T> {
    /// Keeps `value`, made of contents with the fingerprint `seen`.
    pub fn new(value: T, seen: Fingerprint) -> Self {
        Self { current: ArcSwap::from_pointee(value), last: Mutex::new(Last { seen, failure: String::new() }) }
    }

    /// Returns the value in use.
    pub fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Reads the contents with `read`, and makes the next value of them with `renew`, if they are others than the last
    /// ones. Where either fails, the value in use stays.
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
