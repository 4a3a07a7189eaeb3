//! The schemas of object container files, by their text. A file repeats its schema, often of some kilobytes: each is
//! compiled once, as long as it is among the last used, and one that cannot be used is neither compiled nor offered to
//! the registry again and again either.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use sha2::{Digest, Sha256};

use crate::message::Writer;

/// Bytes of text and of what is compiled of it, at most.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Texts that are remembered as of no use, at most: by their hashes.
const MAX_REFUSED: u64 = 1_000;
/// How long that is believed: what a registry refuses now, it may take once somebody has changed its rules.
const BELIEVED: Duration = Duration::from_secs(10);

/// The schemas of one source's files.
pub(crate) struct FileSchemas {
    known: Cache<String, Arc<Writer>>,
    refused: Cache<[u8; 32], &'static str>,
}

impl Default for FileSchemas {
    fn default() -> Self {
        let weigh = |text: &String, writer: &Arc<Writer>| {
            u32::try_from(text.len().saturating_add(writer.schema.bytes())).unwrap_or(u32::MAX)
        };
        Self {
            known: Cache::builder().weigher(weigh).max_capacity(MAX_BYTES).build(),
            refused: Cache::builder().max_capacity(MAX_REFUSED).time_to_live(BELIEVED).build(),
        }
    }
}

impl FileSchemas {
    /// Returns what is known of the schema `text`: its writer, or why it cannot be used. `None` if it is to be
    /// compiled.
    pub(crate) async fn get(&self, text: &str) -> Option<Result<Arc<Writer>, &'static str>> {
        if let Some(known) = self.known.get(text).await {
            return Some(Ok(known));
        }
        self.refused.get(&hash(text)).await.map(Err)
    }

    /// Keeps the writer of the schema `text`.
    pub(crate) async fn keep(&self, text: &str, writer: &Arc<Writer>) {
        self.known.insert(text.to_owned(), Arc::clone(writer)).await;
    }

    /// Remembers that the schema `text` cannot be used, and why.
    pub(crate) async fn refuse(&self, text: &str, why: &'static str) {
        self.refused.insert(hash(text), why).await;
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
