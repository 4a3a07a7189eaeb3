//! The mapping: the types of a document's fields in Elasticsearch, derived from the schema. Pure.
//!
//! `avro::Kind::field_type` gives the field type for an Avro type. `generator` creates the fields, `fragment` holds
//! the JSON of each type, `widen` finds the common type of two, and [`compare`] finds what one mapping lacks or
//! contradicts. The rules are in `docs/document-rules.md`.

use avro::{EventType, FieldRules, JsonRules, Schema};
use serde_json::{Value, json};

use crate::config::Dynamic;

pub mod compare;
pub mod flavour;
mod fragment;
mod generator;
mod limits;
pub mod nest;
mod note;
mod widen;

pub(super) use fragment::count_fields;
use generator::Generator;
pub use note::{Note, NoteKind};

/// The settings for making a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct MappingRules {
    /// `elasticsearch.documents`: how values are written.
    pub json: JsonRules,
    /// `elasticsearch.documents.fields`: which fields are dropped, hidden or renamed.
    pub fields: FieldRules,
    /// `elasticsearch.mapping`.
    pub config: crate::config::Mapping,
    /// Whether documents have the field `@timestamp` of a data stream.
    pub at_timestamp: bool,
}

/// A mapping, with notes about its fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The mapping, in the form that Elasticsearch accepts.
    pub mapping: Value,
    /// Fields that are mapped otherwise than one might expect.
    pub notes: Vec<Note>,
}

/// Returns the mapping before any schema is known.
pub fn without_fields(rules: &MappingRules) -> Value {
    let dynamic = match rules.config.dynamic {
        Dynamic::Strict => "strict",
        Dynamic::True => "true",
        Dynamic::False => "false",
    };
    let mut mapping = json!({
        "dynamic": dynamic,
        // Text that looks like a date or a number stays text. Otherwise the first document would decide the type for
        // all others.
        "date_detection": false,
        "numeric_detection": false,
        "dynamic_templates": [{
            "text_as_keyword": { "match_mapping_type": "string", "mapping": fragment::keyword() }
        }],
        "properties": { "_ingested_at": fragment::date() },
    });
    if rules.json.event_type != EventType::None {
        mapping["properties"]["_event_type"] = fragment::keyword();
    }
    if rules.at_timestamp {
        mapping["properties"]["@timestamp"] = json!({ "type": "date" });
    }
    mapping
}

/// Returns the mapping of the documents of `schema`, after the rules for its fields.
pub fn generate(schema: &Schema, rules: &MappingRules) -> Generated {
    if rules.fields.is_empty() {
        return of_documents(schema, rules);
    }
    match schema.with_rules(&rules.fields) {
        Ok(ruled) => of_documents(&ruled.schema, rules),
        Err(error) => {
            let kind = NoteKind::Unruly(error.to_string());
            Generated { mapping: without_fields(rules), notes: vec![Note { path: String::new(), kind }] }
        }
    }
}

/// Returns the mapping of documents written with `schema`.
fn of_documents(schema: &Schema, rules: &MappingRules) -> Generated {
    let mut generator = Generator::new(rules);
    let properties = generator.members(schema.root());
    let mut mapping = without_fields(rules);
    if generator.is_partial {
        leave_others_out(&mut mapping);
    }
    if let Some(all) = mapping["properties"].as_object_mut() {
        all.extend(properties);
    }
    // They go before the template for all text, because the first match counts.
    if let Some(templates) = mapping["dynamic_templates"].as_array_mut() {
        templates.splice(0..0, generator.templates);
    }
    let unused = rules.config.fields.keys().filter(|path| !generator.used.contains(path.as_str()));
    let unused: Vec<Note> = unused.map(|path| Note { path: path.clone(), kind: NoteKind::Unused }).collect();
    let mut notes = generator.notes;
    notes.extend(unused);
    Generated { mapping, notes }
}

/// Makes `mapping` accept unknown fields: they stay in the document and are not indexed.
pub(super) fn leave_others_out(mapping: &mut Value) {
    mapping["dynamic"] = json!("false");
}

#[cfg(test)]
mod tests;
