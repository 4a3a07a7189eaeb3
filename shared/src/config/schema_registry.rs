//! `schema_registry`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::redact;

/// `schema_registry`: where schemas come from. Any registry that speaks Confluent's API.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SchemaRegistry {
    /// `schema_registry.url`: the base address, such as `http://registry:8081`.
    #[serde(serialize_with = "redact::addresses")]
    pub url: String,
    /// `schema_registry.timeout`: how long one request may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// `schema_registry.cache_capacity`: how many schemas are kept in memory.
    pub cache_capacity: u64,
    /// `schema_registry.refresh`: how old the latest schema of a subject may become before it is asked for again. The old one is
    /// served while the registry is away.
    #[serde(with = "humantime_serde")]
    pub refresh: Duration,
    /// `schema_registry.negative_ttl`: how long "no such schema" is remembered.
    #[serde(with = "humantime_serde")]
    pub negative_ttl: Duration,
}

impl Default for SchemaRegistry {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8081".to_owned(),
            timeout: Duration::from_secs(5),
            cache_capacity: 1_000,
            refresh: Duration::from_secs(60),
            negative_ttl: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for SchemaRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(self, f)
    }
}
