//! The capacity of the schema caches (P6), as a number of schemas. A schema that takes much memory counts several
//! times: senders may supply schemas, and a text of some kilobytes may take megabytes.

use std::hash::Hash;
use std::sync::Arc;

use avro::Schema;
use moka::future::{Cache, CacheBuilder};

use super::RegisteredSchema;

/// The bytes of a schema that count as one schema more.
const UNIT: usize = 64 * 1024;

/// The capacity of each cache.
#[derive(Clone, Copy, Debug)]
pub struct Weighed {
    /// `schema_registry.cache_capacity`.
    pub(super) capacity: u64,
}

/// A cached value that holds a schema.
pub(super) trait Holder: Clone + Send + Sync + 'static {
    fn schema(&self) -> &Schema;
}

impl Holder for Arc<Schema> {
    fn schema(&self) -> &Schema {
        self
    }
}

impl Holder for RegisteredSchema {
    fn schema(&self) -> &Schema {
        &self.schema
    }
}

impl Weighed {
    /// Returns what `schema_registry.cache_capacity` allows.
    pub fn new(config: &config::SchemaRegistry) -> Self {
        Self { capacity: config.cache_capacity.max(1) }
    }

    /// Returns a builder for a cache of schemas.
    pub(super) fn cache<K, V>(self) -> CacheBuilder<K, V, Cache<K, V>>
    where
        K: Hash + Eq + Send + Sync + 'static,
        V: Holder,
    {
        let weigh = move |_: &K, value: &V| u32::try_from(self.weight(value.schema())).unwrap_or(u32::MAX);
        Cache::builder().max_capacity(self.capacity).weigher(weigh)
    }

    /// Returns whether there is room for `more` next to `schemas`.
    pub fn have_room<'s>(self, schemas: impl Iterator<Item = &'s Arc<Schema>>, more: &Schema) -> bool {
        let there: u64 = schemas.map(|schema| self.weight(schema)).sum();
        there.saturating_add(self.weight(more)) <= self.capacity
    }

    /// Returns how many schemas one counts as: never more than the capacity, so that each can be cached.
    fn weight(self, schema: &Schema) -> u64 {
        let units = 1 + schema.bytes() / UNIT;
        u64::try_from(units).unwrap_or(u64::MAX).min(self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(symbols: usize) -> Arc<Schema> {
        let symbols: Vec<String> = (0..symbols).map(|number| format!("\"s{number}\"")).collect();
        let text = format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, symbols.join(","));
        Arc::new(Schema::parse(&text).unwrap())
    }

    #[test]
    fn a_large_schema_counts_as_several() {
        let weighed = Weighed { capacity: 1_000 };
        let (small, large) = (schema(10), schema(20_000));
        assert_eq!(weighed.weight(&small), 1);
        let units = large.bytes().div_ceil(UNIT) as u64;
        assert!((10..1_000).contains(&units), "{units}");
        assert_eq!(weighed.weight(&large), units);
        assert!(weighed.have_room(vec![&small; 999].into_iter(), &small));
        assert!(!weighed.have_room(vec![&small; 1_000].into_iter(), &small));
        assert!(!weighed.have_room(vec![&small; 999].into_iter(), &large));
    }

    #[tokio::test]
    async fn a_cache_holds_fewer_large_schemas_but_always_one() {
        let (large, kept) = (schema(20_000), Weighed { capacity: 100 }.cache::<u32, Arc<Schema>>().build());
        for id in 0..50 {
            kept.insert(id, Arc::clone(&large)).await;
        }
        kept.run_pending_tasks().await;
        let most = 100 * UNIT / large.bytes();
        assert!((1..=most as u64).contains(&kept.entry_count()), "{} of {most}", kept.entry_count());
        let one = Weighed { capacity: 1 }.cache::<u32, Arc<Schema>>().build();
        one.insert(1, large).await;
        one.run_pending_tasks().await;
        assert_eq!(one.entry_count(), 1);
    }
}
