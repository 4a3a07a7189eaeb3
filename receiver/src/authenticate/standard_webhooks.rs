//! Standard Webhooks (standardwebhooks.com): `webhook-id`, `webhook-timestamp` and, in `webhook-signature`, signatures such as
//! `v1,K5oZ…=` with spaces between them. What is signed is `<id>.<timestamp>.<body>`, with SHA-256.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::config::{HmacAlgorithm, standard_webhooks_key};
use shared::secret::Secret;

use super::signature::{Key, Signatures, Signed, fresh};
use super::{Unauthorized, single};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A source's settings.
pub(super) struct StandardWebhooks {
    keys: Vec<Key>,
    tolerance: Duration,
}

impl StandardWebhooks {
    /// Accepts each of `secrets`; none when one of them is not base64.
    pub(super) fn new(tolerance: Duration, secrets: &[Secret]) -> Option<Self> {
        let key = |secret| Key::new(HmacAlgorithm::Sha256, &standard_webhooks_key(secret)?);
        let keys = secrets.iter().map(key).collect::<Option<Vec<_>>>()?;
        Some(Self { keys, tolerance })
    }

    /// Checks that id, timestamp and a signature of version 1 are there, and the timestamp near `now`. Other versions are skipped,
    /// as the specification wants it; version 1a is of another kind of key.
    pub(super) fn check_head<'a>(&'a self, head: &'a HeaderMap, now: SystemTime) -> Result<Signed<'a>, Unauthorized> {
        let id = single(head, &ID)?;
        let timestamp = fresh(single(head, &TIMESTAMP)?, self.tolerance, now)?;
        let mut signatures = Signatures::new(HmacAlgorithm::Sha256);
        let mut any = false;
        for written in single(head, &SIGNATURE)?.split(|byte| *byte == b' ') {
            let Some(written) = written.strip_prefix(b"v1,") else {
                continue;
            };
            any |= signatures.add(|room| decode(written, room)).is_ok();
        }
        // A full stop would move the border between id and timestamp.
        if !any || id.is_empty() || id.contains(&b'.') {
            return Err(Unauthorized);
        }
        Ok(Signed { keys: &self.keys, before: [id, b".", timestamp, b"."], after: [b""; 4], signatures })
    }
}

fn decode(written: &[u8], room: &mut [u8]) -> Option<()> {
    let len = STANDARD.decode_slice(written, room).ok()?;
    (len == room.len()).then_some(())
}
