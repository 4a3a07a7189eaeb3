//! The mapping: what the fields of a document are to Elasticsearch, made of the events' schema. Pure.
//!
//! Which type a field has by its Avro type is `avro::Kind::field_type`; `generator` makes the fields, `fragment` has
//! what the types look like in a mapping, `widen` what two of them have in common, [`compare`] what one mapping has
//! that another lacks or contradicts. The rules are in `docs/document-rules.md`.

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

/// The choices in making a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct MappingRules {
    /// `elasticsearch.documents`: how values are written.
    pub json: JsonRules,
    /// `elasticsearch.documents.fields`: which fields are left out, hidden or called otherwise.
    pub fields: FieldRules,
    /// `elasticsearch.mapping`.
    pub config: crate::config::Mapping,
    /// Whether documents have the field `@timestamp` of a data stream.
    pub at_timestamp: bool,
}

/// A mapping, and what was found out on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The mapping, as Elasticsearch takes it.
    pub mapping: Value,
    /// Fields that are not what one might expect.
    pub notes: Vec<Note>,
}

/// Returns the mapping of documents of which no schema is known yet.
pub fn without_fields(rules: &MappingRules) -> Value {
    let dynamic = match rules.config.dynamic {
        Dynamic::Strict => "strict",
        Dynamic::True => "true",
        Dynamic::False => "false",
    };
    let mut mapping = json!({
        "dynamic": dynamic,
        // Text that looks like a date or a number stays text, so that the first document does not decide for all that
        // follow.
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

/// Returns the mapping of the documents of `schema`, as the rules for its fields have them.
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

/// Returns the mapping of what is written by `schema`.
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
    // Before the one for all text: the first that matches is taken.
    if let Some(templates) = mapping["dynamic_templates"].as_array_mut() {
        templates.splice(0..0, generator.templates);
    }
    let unused = rules.config.fields.keys().filter(|path| !generator.used.contains(path.as_str()));
    let unused: Vec<Note> = unused.map(|path| Note { path: path.clone(), kind: NoteKind::Unused }).collect();
    let mut notes = generator.notes;
    notes.extend(unused);
    Generated { mapping, notes }
}

/// Lets `mapping` take fields that it lacks: they are in the document, and left out of the index.
pub(super) fn leave_others_out(mapping: &mut Value) {
    mapping["dynamic"] = json!("false");
}

#[cfg(test)]
mod tests;
