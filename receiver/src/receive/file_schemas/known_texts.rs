//! The known schemas of object container files, by their text. Every file repeats its schema, often some kilobytes
//! long. A recently used schema is not compiled again, and an unusable one is not offered to the registry again and
//! again.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use sha2::{Digest, Sha256};

use crate::message::Writer;

/// The most bytes of texts and their compiled schemas.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// How long the id of a schema counts as correct. A registry that was emptied or restored may give it to another one.
const KNOWN: Duration = Duration::from_secs(60);
/// The most texts that are remembered as unusable, by their hashes.
const MAX_REFUSED: u64 = 1_000;
/// How long a refusal is remembered. The registry may accept the schema later, after a change of its rules.
const BELIEVED: Duration = Duration::from_secs(10);

/// The results for the schemas of one source's files.
pub(super) struct KnownTexts {
    known: Cache<String, Arc<Writer>>,
    refused: Cache<[u8; 32], &'static str>,
}

impl Default for KnownTexts {
    fn default() -> Self {
        let weigh = |text: &String, writer: &Arc<Writer>| {
            u32::try_from(text.len().saturating_add(writer.schema.bytes())).unwrap_or(u32::MAX)
        };
        Self {
            known: Cache::builder().weigher(weigh).max_capacity(MAX_BYTES).time_to_live(KNOWN).build(),
            refused: Cache::builder().max_capacity(MAX_REFUSED).time_to_live(BELIEVED).build(),
        }
    }
}

impl KnownTexts {
    /// Returns the known result for the schema `text`: its writer, or why it cannot be used. Returns `None` if the
    /// caller must compile it.
    pub(super) async fn get(&self, text: &str) -> Option<Result<Arc<Writer>, &'static str>> {
        if let Some(known) = self.known.get(text).await {
            return Some(Ok(known));
        }
        self.refused.get(&hash(text)).await.map(Err)
    }

    /// Keeps the writer of the schema `text`.
    pub(super) async fn keep(&self, text: &str, writer: &Arc<Writer>) {
        self.known.insert(text.to_owned(), Arc::clone(writer)).await;
    }

    /// Remembers why the schema `text` cannot be used.
    pub(super) async fn refuse(&self, text: &str, why: &'static str) {
        self.refused.insert(hash(text), why).await;
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
