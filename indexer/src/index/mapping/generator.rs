//! Makes the fields of a mapping from a schema's types, within limits of depth, number and work. Pure.

use std::collections::{BTreeSet, HashMap};

use avro::{Outline, TypeRef};
use serde_json::{Map, Value, json};

use super::limits::{MAX_DEPTH, MAX_FIELDS, MAX_PATH, MAX_STEPS};
use super::{MappingRules, Note, NoteKind, count_fields, fragment, widen};
use crate::config::{FieldOverride, Maps};

/// Makes the fields of one schema, starting at its root.
pub(super) struct Generator<'r> {
    rules: &'r MappingRules,
    path: Vec<String>,
    /// How many times the current path passes through each record.
    open: HashMap<u32, usize>,
    fields: usize,
    /// The number of types visited.
    steps: usize,
    pub(super) templates: Vec<Value>,
    pub(super) notes: Vec<Note>,
    pub(super) used: BTreeSet<&'r str>,
    /// Whether fields were left out.
    pub(super) is_partial: bool,
}

impl<'r> Generator<'r> {
    /// Creates a generator that has made nothing yet.
    pub(super) fn new(rules: &'r MappingRules) -> Self {
        Self {
            rules,
            path: Vec::new(),
            open: HashMap::new(),
            fields: 0,
            steps: 0,
            templates: Vec::new(),
            notes: Vec::new(),
            used: BTreeSet::new(),
            is_partial: false,
        }
    }
}

impl Generator<'_> {
    /// Returns the fields of a document: those of all records that the event may be, and `value` for branches that
    /// are not records.
    pub(super) fn members(&mut self, root: TypeRef<'_>) -> Map<String, Value> {
        let (records, others): (Vec<_>, Vec<_>) = root.branches().into_iter().partition(|branch| branch.is_record());
        if records.is_empty() {
            return self.properties(&[("value", vec![root])]);
        }
        records.iter().for_each(|record| *self.open.entry(record.id()).or_default() += 1);
        let mut fields = fields_of(&records);
        match fields.iter_mut().find(|(name, _)| *name == "value") {
            Some((_, types)) => types.extend(others),
            None if others.is_empty() => {}
            None => fields.push(("value", others)),
        }
        self.properties(&fields)
    }

    /// Returns fields by name, each with the types that it may have.
    fn properties(&mut self, fields: &[(&str, Vec<TypeRef<'_>>)]) -> Map<String, Value> {
        let mut properties = Map::new();
        for (name, types) in fields {
            self.path.push((*name).to_owned());
            let has_room = self.fields < MAX_FIELDS;
            if has_room {
                self.fields += 1;
                properties.insert((*name).to_owned(), self.named(types));
            } else {
                self.is_partial = true;
                self.note(NoteKind::TooMany);
            }
            self.path.pop();
            if !has_room {
                break;
            }
        }
        properties
    }

    /// Returns the field at the current path.
    fn named(&mut self, types: &[TypeRef<'_>]) -> Value {
        let rules = self.rules;
        let Some((path, wanted)) = rules.config.fields.get_key_value(&self.path.join(".")) else {
            return self.of_any(types, rules.config.maps);
        };
        self.used.insert(path);
        self.overridden(types, wanted)
    }

    fn overridden(&mut self, types: &[TypeRef<'_>], wanted: &FieldOverride) -> Value {
        let parts = matches!(wanted.field_type.as_str(), "object" | "nested") && wanted.enabled != Some(false);
        if !parts {
            return fragment::of_override(wanted);
        }
        let mut made = self.of_any(types, Maps::Object);
        if wanted.field_type == "nested" {
            made["type"] = json!("nested");
        }
        made
    }

    fn of_any(&mut self, types: &[TypeRef<'_>], maps: Maps) -> Value {
        match types {
            [one] => self.of(*one, maps),
            several => self.union(several, maps),
        }
    }

    fn of(&mut self, field: TypeRef<'_>, maps: Maps) -> Value {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return self.unsearchable(NoteKind::TooMany);
        }
        if field.is_record() {
            return self.records(&[field]);
        }
        match field.outline() {
            // Any type may follow later, and a keyword accepts the most kinds of values.
            Outline::Null | Outline::Record(_) => fragment::keyword(),
            Outline::Value(kind) => {
                let made = fragment::of_type(kind.field_type(self.rules.json));
                self.fields += count_fields(&made);
                made
            }
            // In Elasticsearch, every field may be a list, and a list of lists is one list.
            Outline::Array(items) => self.of(items, maps),
            Outline::Map(values) => self.map(values, maps),
            Outline::Union(branches) => self.union(&branches, maps),
        }
    }

    fn map(&mut self, values: TypeRef<'_>, maps: Maps) -> Value {
        let path = self.path.join(".");
        match maps {
            Maps::Flattened if path.len() > MAX_PATH => return self.unsearchable(NoteKind::TooLong),
            Maps::Flattened => return fragment::flattened(),
            Maps::Object => {}
        }
        if let Outline::Value(kind) = beneath_null(values).outline()
            && let Some(template) = fragment::template_of_values(&path, kind.field_type(self.rules.json))
        {
            self.templates.push(template);
        }
        json!({ "type": "object", "dynamic": "true" })
    }

    /// Returns an object with the fields of these records.
    fn records(&mut self, records: &[TypeRef<'_>]) -> Value {
        let times = |record: &TypeRef<'_>| self.open.get(&record.id()).copied().unwrap_or_default();
        if records.iter().any(|record| times(record) > usize::from(self.rules.config.recursion)) {
            return self.unsearchable(NoteKind::Recursive);
        }
        if self.path.len() >= MAX_DEPTH {
            return self.unsearchable(NoteKind::TooDeep);
        }
        let fields = fields_of(records);
        self.steps += fields.iter().map(|(_, types)| types.len()).sum::<usize>();
        records.iter().for_each(|record| *self.open.entry(record.id()).or_default() += 1);
        let properties = self.properties(&fields);
        for record in records {
            if let Some(times) = self.open.get_mut(&record.id()) {
                *times -= 1;
            }
        }
        fragment::object(properties)
    }

    /// Returns a field that accepts values of any of `types`, which may be unions themselves.
    fn union(&mut self, types: &[TypeRef<'_>], maps: Maps) -> Value {
        let (mut branches, mut met) = (Vec::new(), BTreeSet::new());
        for one in types {
            let all = one.branches();
            self.steps += 1 + all.len();
            if self.steps > MAX_STEPS {
                return self.unsearchable(NoteKind::TooMany);
            }
            branches.extend(all.into_iter().filter(|branch| met.insert(branch.id())));
        }
        if branches.len() > 1 && branches.iter().all(|branch| branch.is_record()) {
            return self.records(&branches);
        }
        let made: Vec<Value> = branches.iter().map(|branch| self.of(*branch, maps)).collect();
        let Some((first, others)) = made.split_first() else { return fragment::keyword() };
        let common = others.iter().try_fold(first.clone(), |common, other| widen::widen(&common, other));
        common.unwrap_or_else(|| {
            let types = made.iter().map(|fragment| fragment::type_of(fragment).to_owned()).collect();
            self.unsearchable(NoteKind::Ambiguous(types))
        })
    }

    /// Returns a field that stays in the document and is not indexed.
    fn unsearchable(&mut self, kind: NoteKind) -> Value {
        self.note(kind);
        fragment::unsearchable()
    }

    /// Adds a note about the field at the current path.
    fn note(&mut self, kind: NoteKind) {
        // One note about too many fields is enough.
        if kind != NoteKind::TooMany || !self.notes.iter().any(|note| note.kind == NoteKind::TooMany) {
            self.notes.push(Note { path: self.path.join("."), kind });
        }
    }
}

/// Returns the fields of all these records in the order of appearance, each with its types.
fn fields_of<'s>(records: &[TypeRef<'s>]) -> Vec<(&'s str, Vec<TypeRef<'s>>)> {
    let mut positions: HashMap<&str, usize> = HashMap::new();
    let mut all: Vec<(&str, Vec<TypeRef<'_>>)> = Vec::new();
    for record in records {
        let Outline::Record(fields) = record.outline() else { continue };
        for (name, kind) in fields {
            let position = *positions.entry(name).or_insert(all.len());
            match all.get_mut(position) {
                Some((_, types)) => types.push(kind),
                None => all.push((name, vec![kind])),
            }
        }
    }
    all
}

/// Returns the type other than null, if the field is a union of null and one other type.
fn beneath_null(field: TypeRef<'_>) -> TypeRef<'_> {
    match field.outline() {
        Outline::Union(branches) => match branches.as_slice() {
            [one] => *one,
            _ => field,
        },
        _ => field,
    }
}
