//! The limits of a mapping: depth, path length, and number of fields.

/// How deep objects may be nested. Elasticsearch's own limit (`index.mapping.depth.limit`) is 20.
pub(super) const MAX_DEPTH: usize = 18;
/// The longest path of a map, in bytes with the dots. In `OpenSearch` each term of the map contains it twice: see
/// `MAX_KEYS` of the crate `avro`.
pub(super) const MAX_PATH: usize = 2_000;
/// How many types are visited. Nested unions of records would otherwise take endless work.
pub(super) const MAX_STEPS: usize = 200_000;
/// How many fields one schema may have. Records that contain themselves in several ways would otherwise make more
/// fields than an index can hold.
pub(super) const MAX_FIELDS: usize = 5_000;
