//! `schema_registry`.

use super::Problems;
use crate::config::SchemaRegistry;

pub(super) fn check(registry: &SchemaRegistry, problems: &mut Problems) {
    problems.addresses("schema_registry.url", &registry.url);
    if registry.url.contains(',') {
        problems.add("schema_registry.url", "must be one address");
    }
    problems.not_zero("schema_registry.timeout", registry.timeout);
    problems.within("schema_registry.cache_capacity", registry.cache_capacity, 1, 1_000_000);
    problems.not_zero("schema_registry.refresh", registry.refresh);
    problems.not_zero("schema_registry.negative_ttl", registry.negative_ttl);
}
