//! Standard Webhooks (standardwebhooks.com). The headers are `webhook-id`, `webhook-timestamp` and `webhook-signature`,
//! whose signatures look like `v1,K5oZ…=` and are separated by spaces. Svix's original names begin with `svix-`. The
//! signed text is `<id>.<timestamp>.<body>`, with SHA-256.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderName};
use service::secret::Secret;

use super::signature::{Key, Signatures, Signed, decode_base64, fresh};
use super::{Unauthorized, single};
use crate::config::{HmacAlgorithm, standard_webhooks_key};

/// The names of the headers with the id, the timestamp and the signatures. A request uses one family.
static FAMILIES: [[HeaderName; 3]; 2] = [
    [
        HeaderName::from_static("webhook-id"),
        HeaderName::from_static("webhook-timestamp"),
        HeaderName::from_static("webhook-signature"),
    ],
    [
        HeaderName::from_static("svix-id"),
        HeaderName::from_static("svix-timestamp"),
        HeaderName::from_static("svix-signature"),
    ],
];

/// A source's settings.
pub(super) struct StandardWebhooks {
    keys: Vec<Key>,
    tolerance: Duration,
}

impl StandardWebhooks {
    /// Accepts each of `secrets`. Returns `None` if one of them is not base64.
    pub(super) fn new(tolerance: Duration, secrets: &[Secret]) -> Option<Self> {
        let key = |secret| Key::new(HmacAlgorithm::Sha256, &standard_webhooks_key(secret)?);
        let keys = secrets.iter().map(key).collect::<Option<Vec<_>>>()?;
        Some(Self { keys, tolerance })
    }

    /// Checks that there are an id, a timestamp and a signature of version 1, and that the timestamp is near `now`.
    /// Skips other versions, as the specification requires; version 1a uses another kind of key.
    pub(super) fn check_head<'a>(&'a self, head: &'a HeaderMap, now: SystemTime) -> Result<Signed<'a>, Unauthorized> {
        let family = FAMILIES.iter().find(|[.., signature]| head.contains_key(signature));
        let [id, timestamp, signature] = family.ok_or(Unauthorized)?;
        let id = single(head, id)?;
        let timestamp = fresh(single(head, timestamp)?, self.tolerance, now)?;
        let mut signatures = Signatures::new(HmacAlgorithm::Sha256);
        let mut is_next = false;
        for part in head.get_all(signature).iter().flat_map(|value| value.as_bytes().split(is_separator)) {
            if is_next {
                signatures.add(|room| decode_base64(part, room)).ok();
            }
            is_next = part == b"v1";
        }
        // A full stop would move the border between id and timestamp.
        if signatures.is_empty() || id.is_empty() || id.contains(&b'.') {
            return Err(Unauthorized);
        }
        Ok(Signed { keys: &self.keys, before: vec![id, b".", timestamp, b"."], after: Vec::new(), signatures })
    }
}

/// Returns whether `byte` ends a signature, or the version before it. Proxies join two headers with the same name with a
/// comma, some of them without a space.
fn is_separator(byte: &u8) -> bool {
    matches!(byte, b' ' | b',')
}
