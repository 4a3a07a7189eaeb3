//! Compiles a schema from its text to the form that a walk needs.
//!
//! Compilation is lenient: the datum already exists, and only its structure matters. A schema stays usable despite
//! faults that reading does not depend on: invalid names, defaults that do not fit, aliases, misplaced logical types.

use std::fmt;

use super::SchemaError;
use super::canonical;
use super::compile;
use super::field_path::{self, FieldPath, Search};
use super::meaning::{self, Meaning};
use super::node::{NodeId, SchemaNode};
use super::plan;
use super::raw;
use super::rules::FieldRules;

/// The most bytes of all texts of a schema together. The compiled schema takes several times as much.
const MAX_TEXT: usize = 4 << 20;
/// The most characters of a reason, which quotes the text.
const MAX_REASON: usize = 1_000;

/// A schema compiled for reading.
pub struct Schema {
    pub(super) nodes: Box<[SchemaNode]>,
    pub(super) root: NodeId,
    fullname: Option<String>,
    fingerprint: u64,
    meaning: Meaning,
    bytes: usize,
    /// Whether errors hide the contents of a datum.
    pub(super) is_discreet: bool,
}

/// A schema with rules for its fields.
#[derive(Debug)]
pub struct Ruled {
    /// The schema: it reads the same data, and writes documents by the rules.
    pub schema: Schema,
    /// The paths of the rules that match no field of the schema.
    pub unmet: Vec<String>,
}

impl Schema {
    /// Compiles a schema from its JSON text. Time and memory are bounded by the length of the text.
    ///
    /// # Errors
    /// If the text is not an Avro schema, if no value can conform to it (a record that contains itself without end), or
    /// if it wastes time and memory (see [`SchemaError`]). The reason names the place.
    pub fn parse(json: &str) -> Result<Self, SchemaError> {
        Self::parse_with_references(json, &[])
    }

    /// Compiles a schema that uses named types of other schemas ("references" of a schema registry), given as JSON
    /// texts. If several define one name, the schema's own definition counts, then the first.
    ///
    /// # Errors
    /// As for [`Schema::parse`]; only the used parts of the references are checked.
    pub fn parse_with_references(json: &str, references: &[&str]) -> Result<Self, SchemaError> {
        let texts = || std::iter::once(json).chain(references.iter().copied());
        let bytes: usize = texts().map(str::len).sum();
        if bytes > MAX_TEXT {
            return Err(SchemaError(format!("it has {bytes} bytes, references included, over {MAX_TEXT}")));
        }
        let compiled = texts().map(raw::parse).collect::<Result<Vec<_>, _>>().and_then(|raw| compile::compile(&raw));
        let compiled = compiled.map_err(short)?;
        let (fingerprint, meaning) = (canonical::fingerprint(&compiled), meaning::of(&compiled));
        let compile::Compiled { nodes, root, mut names, .. } = compiled;
        let bytes = nodes.iter().map(SchemaNode::bytes).sum();
        Ok(Self { nodes, root, fullname: names.remove(&root), fingerprint, meaning, bytes, is_discreet: false })
    }

    /// Returns this schema with `rules` for the fields of its documents. [`validate`](super::validate) then reads the
    /// same data, [`write_members`](super::write_members) applies the rules, and [`root`](Schema::root) describes the
    /// output. If a rule hides values, errors in data show no keys and no values.
    ///
    /// # Errors
    /// If a rule cannot be applied: two fields of a record would get one name, or the target of a rename or drop is not
    /// a field.
    pub fn with_rules(&self, rules: &FieldRules) -> Result<Ruled, SchemaError> {
        let plan::Planned { nodes, root, met } = plan::plan(&self.nodes, self.root, rules)?;
        let bytes = nodes.iter().map(SchemaNode::bytes).sum();
        let unmet = rules.paths().filter(|path| !met.contains(*path)).map(str::to_owned).collect();
        let schema = Self {
            nodes,
            root,
            fullname: self.fullname.clone(),
            fingerprint: self.fingerprint,
            meaning: self.meaning,
            bytes,
            is_discreet: rules.hides_values(),
        };
        Ok(Ruled { schema, unmet })
    }

    /// Returns the path to the field `dotted` (`event_id`, `meta.id`) as a key, which [`validate`](super::validate)
    /// finds while reading. If the schema, or a type on the path, is a union of records, each of them must have the
    /// field.
    ///
    /// # Errors
    /// If there is no such field, or it cannot be an event id (a string, uuid, enum, int, long or fixed, or a union of
    /// null and one of them).
    pub fn field(&self, dotted: &str) -> Result<FieldPath, SchemaError> {
        let wanted = "a string, uuid, enum, int, long or fixed";
        field_path::find(
            &self.nodes,
            self.root,
            dotted,
            &Search { fits: field_path::fits_key, wanted, in_each_branch: true },
        )
    }

    /// Returns the path to the field `dotted` as the event's time, for
    /// [`write_members_and_find`](super::write_members_and_find). If the schema, or a type on the path, is a union of
    /// records, one of them must have the field.
    ///
    /// # Errors
    /// If there is no such field, or it cannot be a time (a timestamp, local timestamp, date, string, int or long, or a
    /// union of null and one of them).
    pub fn time_field(&self, dotted: &str) -> Result<FieldPath, SchemaError> {
        let wanted = "a timestamp, date, string, int or long";
        field_path::find(
            &self.nodes,
            self.root,
            dotted,
            &Search { fits: field_path::fits_time, wanted, in_each_branch: false },
        )
    }

    /// Returns the path to the field `dotted` as the field that events are routed by, for
    /// [`write_members_and_find_both`](super::write_members_and_find_both). If the schema, or a type on the path, is a
    /// union of records, one of them must have the field.
    ///
    /// # Errors
    /// If there is no such field, or events cannot be routed by it (it must be a string, enum, boolean, int or long, or
    /// a union of null and one of them).
    pub fn route_field(&self, dotted: &str) -> Result<FieldPath, SchemaError> {
        let wanted = "a string, enum, boolean, int or long";
        field_path::find(
            &self.nodes,
            self.root,
            dotted,
            &Search { fits: field_path::fits_route, wanted, in_each_branch: false },
        )
    }

    /// Returns the full name of the root type, if it is a named type.
    pub fn fullname(&self) -> Option<&str> {
        self.fullname.as_deref()
    }

    /// Returns the CRC-64-AVRO fingerprint of the parsing canonical form ("Schema Fingerprints" in the Avro
    /// specification). Single-object encoding stores it in little-endian order.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Returns the meaning of its bytes. It is equal for two schemas if every reader gets the same values with both.
    /// Unlike fingerprints, it covers logical types, precision and scale.
    pub fn meaning(&self) -> Meaning {
        self.meaning
    }

    /// Returns approximately how many bytes it takes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("fullname", &self.fullname)
            .field("fingerprint", &format_args!("{:016x}", self.fingerprint))
            .finish_non_exhaustive()
    }
}

/// Cuts a reason that quotes too much of a schema.
fn short(error: SchemaError) -> SchemaError {
    match error.0.char_indices().nth(MAX_REASON) {
        Some(_) => SchemaError(error.0.chars().take(MAX_REASON).collect()),
        None => error,
    }
}
