//! The limits of a mapping: how deep, how long and how many its fields may be.

/// How deep objects may be nested: Elasticsearch's own limit (`index.mapping.depth.limit`) is 20.
pub(super) const MAX_DEPTH: usize = 18;
/// How long the path of a map may be, in bytes with the dots. On `OpenSearch` it is twice a part of each term of the
/// map: see `MAX_KEYS` of the crate `avro`.
pub(super) const MAX_PATH: usize = 2_000;
/// How many types are looked at. Unions of records that hold such unions ask for more than anybody could wait for.
pub(super) const MAX_STEPS: usize = 200_000;
/// How many fields a schema may make. Records that hold themselves in several ways ask for more than any index could
/// bear.
pub(super) const MAX_FIELDS: usize = 5_000;
