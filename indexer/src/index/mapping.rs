//! The mapping: what the fields of a document are to Elasticsearch, made of the events' schema. Pure.
//!
//! Which type a field has by its Avro type is `shared::avro::Kind::field_type`; `fragment` has what the types look like in a mapping,
//! `widen` what two of them have in common, [`compare`] what one mapping has that another lacks or contradicts. The rules are in
//! `docs/document-rules.md`.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value, json};
use shared::avro::{JsonRules, Outline, Schema, TypeRef};
use shared::config::{self, Dynamic, FieldOverride, Maps};

pub mod compare;
mod fragment;
mod widen;

pub(super) use fragment::count_fields;

/// How deep objects may be nested: Elasticsearch's own limit (`index.mapping.depth.limit`) is 20.
const MAX_DEPTH: usize = 18;
/// How many fields a schema may make. Records that hold themselves in several ways ask for more than any index could bear.
const MAX_FIELDS: usize = 5_000;

/// The choices in making a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct MappingRules {
    /// `elasticsearch.documents`: how values are written.
    pub json: JsonRules,
    /// `elasticsearch.mapping`.
    pub config: config::Mapping,
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

/// A field that is not what one might expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its path, dots between names.
    pub path: String,
    /// What about it.
    pub kind: NoteKind,
}

/// What about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A record that holds itself, which is followed no further.
    Recursive,
    /// Nested deeper than Elasticsearch allows.
    TooDeep,
    /// One of more fields than a mapping may have.
    TooMany,
    /// A union of types that no field can take together.
    Ambiguous(Vec<String>),
    /// An override of the config that matches no field of the schema.
    Unused,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aside = "it is in the document, but cannot be searched for";
        write!(f, "field {}: ", self.path)?;
        match &self.kind {
            NoteKind::Recursive => write!(f, "holds itself; from here on {aside} (elasticsearch.mapping.recursion)"),
            NoteKind::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels; {aside}"),
            NoteKind::TooMany => write!(f, "the schema has more than {MAX_FIELDS} fields; {aside}"),
            NoteKind::Ambiguous(types) => write!(
                f,
                "is a union of {}, which no field can take together; {aside}. Choose a type by elasticsearch.mapping.fields.{}",
                types.join(" and "),
                self.path
            ),
            NoteKind::Unused => f.write_str("elasticsearch.mapping.fields names it, and the schema has no such field"),
        }
    }
}

/// The mapping of documents of which no schema is known yet.
pub fn without_fields(rules: &MappingRules) -> Value {
    let dynamic = match rules.config.dynamic {
        Dynamic::Strict => "strict",
        Dynamic::True => "true",
        Dynamic::False => "false",
    };
    let mut mapping = json!({
        "dynamic": dynamic,
        // Text that looks like a date or a number stays text, so that the first document does not decide for all that follow.
        "date_detection": false,
        "numeric_detection": false,
        "dynamic_templates": [{
            "text_as_keyword": { "match_mapping_type": "string", "mapping": fragment::keyword() }
        }],
        "properties": { "_ingested_at": fragment::date() },
    });
    if rules.at_timestamp {
        mapping["properties"]["@timestamp"] = json!({ "type": "date" });
    }
    mapping
}

/// The mapping of the documents of `schema`.
pub fn generate(schema: &Schema, rules: &MappingRules) -> Generated {
    let mut generator = Generator {
        rules,
        path: Vec::new(),
        open: Vec::new(),
        fields: 0,
        templates: Vec::new(),
        notes: Vec::new(),
        used: BTreeSet::new(),
    };
    let root = schema.root();
    let properties = match root.outline() {
        Outline::Record(fields) => {
            generator.open.push(root.id());
            generator.properties(&fields)
        }
        _ => generator.properties(&[("value", root)]),
    };
    let mut mapping = without_fields(rules);
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

struct Generator<'r> {
    rules: &'r MappingRules,
    path: Vec<String>,
    /// The records that the path leads through.
    open: Vec<u32>,
    fields: usize,
    templates: Vec<Value>,
    notes: Vec<Note>,
    used: BTreeSet<&'r str>,
}

impl Generator<'_> {
    fn properties(&mut self, fields: &[(&str, TypeRef<'_>)]) -> Map<String, Value> {
        let mut properties = Map::new();
        for (name, field) in fields {
            self.path.push((*name).to_owned());
            properties.insert((*name).to_owned(), self.named(*field));
            self.path.pop();
        }
        properties
    }

    /// The field at the path.
    fn named(&mut self, field: TypeRef<'_>) -> Value {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return self.aside(NoteKind::TooMany);
        }
        let rules = self.rules;
        let Some((path, wanted)) = rules.config.fields.get_key_value(&self.path.join(".")) else {
            return self.of(field, rules.config.maps);
        };
        self.used.insert(path);
        self.overridden(field, wanted)
    }

    fn overridden(&mut self, field: TypeRef<'_>, wanted: &FieldOverride) -> Value {
        let parts = matches!(wanted.field_type.as_str(), "object" | "nested") && wanted.enabled != Some(false);
        if !parts {
            return fragment::of_override(wanted);
        }
        let mut made = self.of(field, Maps::Object);
        if wanted.field_type == "nested" {
            made["type"] = json!("nested");
        }
        made
    }

    fn of(&mut self, field: TypeRef<'_>, maps: Maps) -> Value {
        match field.outline() {
            // Whatever comes later: nothing takes more kinds of values.
            Outline::Null => fragment::keyword(),
            Outline::Value(kind) => fragment::of_type(kind.field_type(self.rules.json)),
            // To Elasticsearch, a field is a list of any length, and a list of lists is one list.
            Outline::Array(items) => self.of(items, maps),
            Outline::Map(values) => self.map(values, maps),
            Outline::Record(fields) => self.record(field.id(), &fields),
            Outline::Union(branches) => self.union(&branches, maps),
        }
    }

    fn map(&mut self, values: TypeRef<'_>, maps: Maps) -> Value {
        if maps == Maps::Flattened {
            return fragment::flattened();
        }
        let path = self.path.join(".");
        if let Outline::Value(kind) = beneath_null(values).outline()
            && let Some(template) = fragment::template_of_values(&path, kind.field_type(self.rules.json))
        {
            self.templates.push(template);
        }
        json!({ "type": "object", "dynamic": "true" })
    }

    fn record(&mut self, id: u32, fields: &[(&str, TypeRef<'_>)]) -> Value {
        let times = self.open.iter().filter(|open| **open == id).count();
        if times > usize::from(self.rules.config.recursion) {
            return self.aside(NoteKind::Recursive);
        }
        if self.path.len() >= MAX_DEPTH {
            return self.aside(NoteKind::TooDeep);
        }
        self.open.push(id);
        let properties = self.properties(fields);
        self.open.pop();
        fragment::object(properties)
    }

    fn union(&mut self, branches: &[TypeRef<'_>], maps: Maps) -> Value {
        let branches = branches.iter().filter(|branch| !matches!(branch.outline(), Outline::Null));
        let made: Vec<Value> = branches.map(|branch| self.of(*branch, maps)).collect();
        let Some((first, others)) = made.split_first() else { return fragment::keyword() };
        let common = others.iter().try_fold(first.clone(), |common, other| widen::widen(&common, other));
        common.unwrap_or_else(|| {
            let types = made.iter().map(|fragment| fragment::type_of(fragment).to_owned()).collect();
            self.aside(NoteKind::Ambiguous(types))
        })
    }

    /// A field that is kept in the document and left out of the index.
    fn aside(&mut self, kind: NoteKind) -> Value {
        // Of too many, the first is enough.
        if kind != NoteKind::TooMany || !self.notes.iter().any(|note| note.kind == NoteKind::TooMany) {
            self.notes.push(Note { path: self.path.join("."), kind });
        }
        fragment::aside()
    }
}

/// The one type that is not null of a union of null and one other.
fn beneath_null(field: TypeRef<'_>) -> TypeRef<'_> {
    match field.outline() {
        Outline::Union(branches) => match branches.as_slice() {
            [one] => *one,
            _ => field,
        },
        _ => field,
    }
}

#[cfg(test)]
mod tests;
