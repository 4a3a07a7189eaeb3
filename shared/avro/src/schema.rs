//! A schema from its text to what a walk needs.
//!
//! Leniently: a datum is there already, and only its structure matters. What reading does not need makes no schema
//! unusable: names that are none, defaults that do not fit, aliases, logical types on types that they do not belong to.

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

/// Bytes of all texts of a schema together, at most. The compiled schema takes some times as much.
const MAX_TEXT: usize = 4 << 20;
/// Characters of a reason, which quotes the text.
const MAX_REASON: usize = 1_000;

/// A schema compiled for reading.
pub struct Schema {
    pub(super) nodes: Box<[SchemaNode]>,
    pub(super) root: NodeId,
    fullname: Option<String>,
    fingerprint: u64,
    meaning: Meaning,
    bytes: usize,
    /// Whether errors say nothing of what a datum holds.
    pub(super) is_discreet: bool,
}

/// A schema with rules for its fields.
#[derive(Debug)]
pub struct Ruled {
    /// The schema: by it the same data are read, and documents are written by the rules.
    pub schema: Schema,
    /// The paths of the rules that no field of it has.
    pub unmet: Vec<String>,
}

impl Schema {
    /// Compiles a schema from its JSON text. Takes time and room by the length of the text, whatever it says.
    ///
    /// # Errors
    /// When the text is not an Avro schema, or one that no value can be written by (a record that holds itself without
    /// end), or one made to waste time and room (see [`SchemaError`]). The reason names the place.
    pub fn parse(json: &str) -> Result<Self, SchemaError> {
        Self::parse_with_references(json, &[])
    }

    /// Compiles a schema that uses named types of other schemas ("references" of a schema registry): their JSON texts.
    /// Where several define one name, the schema's own definition counts, then the first.
    ///
    /// # Errors
    /// As [`Schema::parse`]; of the references only what is used is looked at.
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

    /// Returns this schema with `rules` for the fields of its documents: with them [`validate`](super::validate) reads
    /// the same, [`write_members`](super::write_members) writes by them, and [`root`](Schema::root) is what is written.
    /// Errors of data name no keys and no values then, if one of the rules hides values.
    ///
    /// # Errors
    /// When a rule cannot be carried out: two fields of a record would have one name, or what is renamed or left out is
    /// no field.
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

    /// Returns the path to the field `dotted` (`event_id`, `meta.id`), as a key: for [`validate`](super::validate) to
    /// find on the way. Where the schema, or a type on the way, is a union of records, each of them must have it.
    ///
    /// # Errors
    /// When there is no such field, or it cannot be an event id (a string, uuid, enum, int, long or fixed, or a union
    /// of null and one of them).
    pub fn field(&self, dotted: &str) -> Result<FieldPath, SchemaError> {
        let wanted = "a string, uuid, enum, int, long or fixed";
        field_path::find(
            &self.nodes,
            self.root,
            dotted,
            &Search { fits: field_path::fits_key, wanted, in_each_branch: true },
        )
    }

    /// Returns the path to the field `dotted`, as the event's time: for
    /// [`write_members_and_find`](super::write_members_and_find). Where the schema, or a type on the way, is a union of
    /// records, one of them must have it.
    ///
    /// # Errors
    /// When there is no such field, or it cannot be a time (a timestamp, local timestamp, date, string, int or long, or
    /// a union of null and one of them).
    pub fn time_field(&self, dotted: &str) -> Result<FieldPath, SchemaError> {
        let wanted = "a timestamp, date, string, int or long";
        field_path::find(
            &self.nodes,
            self.root,
            dotted,
            &Search { fits: field_path::fits_time, wanted, in_each_branch: false },
        )
    }

    /// Returns the path to the field `dotted`, as the field that says where an event goes: for
    /// [`write_members_and_find_both`](super::write_members_and_find_both). Where the schema, or a type on the way, is
    /// a union of records, one of them must have it.
    ///
    /// # Errors
    /// When there is no such field, or it cannot be one (a string, enum, boolean, int or long, or a union of null and
    /// one of them).
    pub fn route_field(&self, dotted: &str) -> Result<FieldPath, SchemaError> {
        let wanted = "a string, enum, boolean, int or long";
        field_path::find(
            &self.nodes,
            self.root,
            dotted,
            &Search { fits: field_path::fits_route, wanted, in_each_branch: false },
        )
    }

    /// Returns the name of the root type with its namespace, where it is a named type.
    pub fn fullname(&self) -> Option<&str> {
        self.fullname.as_deref()
    }

    /// Returns the CRC-64-AVRO fingerprint of the parsing canonical form ("Schema Fingerprints" in the Avro
    /// specification). In single-object encoding it stands in little-endian order.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Returns what its bytes mean: equal for two schemas by which every reader gets the same values, also where their
    /// fingerprints, which leave out logical types, precision and scale, are equal and these differ.
    pub fn meaning(&self) -> Meaning {
        self.meaning
    }

    /// Returns the bytes that it takes in memory, about.
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

/// Cuts a reason that repeats too much of a schema.
fn short(error: SchemaError) -> SchemaError {
    match error.0.char_indices().nth(MAX_REASON) {
        Some(_) => SchemaError(error.0.chars().take(MAX_REASON).collect()),
        None => error,
    }
}
