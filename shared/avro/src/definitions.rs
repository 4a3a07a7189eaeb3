//! The named types of a schema's texts, and the resolution of names ("Names" in the Avro specification 1.12).
//!
//! All of them are collected before the first is compiled, so a type may be used before its definition, even from
//! another text. Names do not matter for reading a datum, so a name may be any text.

use std::collections::HashMap;

use super::SchemaError;
use super::raw::{Key, Object, Raw};

/// The most bytes of a full name, a field name or a symbol: they appear in errors or documents, or are repeated at each
/// use of a type.
const MAX_NAME: usize = 512;

/// The number of a named type within a schema.
pub(super) type DefinitionId = usize;

/// Holds all named types of a schema.
#[derive(Debug, Default)]
pub(super) struct Definitions<'r, 'j> {
    all: Vec<Definition<'r, 'j>>,
    by_name: HashMap<String, DefinitionId>,
    /// The definitions by the address of their object.
    by_place: HashMap<usize, DefinitionId>,
}

/// A named type.
#[derive(Debug)]
pub(super) struct Definition<'r, 'j> {
    pub(super) object: &'r Object<'j>,
    pub(super) kind: Kind,
    pub(super) fullname: String,
    /// The length of the namespace at the beginning of the name, in bytes.
    namespace: usize,
    /// The text that defines the type.
    text: usize,
}

/// The kinds of named types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Record,
    Enum,
    Fixed,
}

impl Kind {
    /// Returns the kind for a value of `type`, or `None` if it is not a named type.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            // An error of a protocol is a record.
            "record" | "error" => Some(Self::Record),
            "enum" => Some(Self::Enum),
            "fixed" => Some(Self::Fixed),
            _ => None,
        }
    }
}

impl Definition<'_, '_> {
    /// Returns the namespace in which names are looked up; empty if there is none.
    pub(super) fn namespace(&self) -> &str {
        self.fullname.get(..self.namespace).unwrap_or_default()
    }
}

impl<'r, 'j> Definitions<'r, 'j> {
    /// Collects the types of all `texts`. If two texts define one name, the first counts. So among several versions of
    /// a type in the references of a registry, the first one met counts, as in Confluent's clients.
    pub(super) fn collect(texts: &'r [Raw<'j>]) -> Self {
        let mut definitions = Self::default();
        for (number, text) in texts.iter().enumerate() {
            definitions.visit(text, "", number);
        }
        definitions
    }

    fn visit(&mut self, raw: &'r Raw<'j>, namespace: &str, text: usize) {
        let object = match raw {
            Raw::List(items) => return items.iter().for_each(|item| self.visit(item, namespace, text)),
            Raw::Object(object) => object,
            Raw::Text(_) | Raw::Number(_) | Raw::Other => return,
        };
        let within = match object.get(Key::Type) {
            Some(Raw::Text(name)) => match Kind::of(name) {
                Some(kind) => return self.define(object, kind, namespace, text),
                None if name == "array" => object.get(Key::Items),
                None if name == "map" => object.get(Key::Values),
                None => None,
            },
            other => other,
        };
        if let Some(within) = within {
            self.visit(within, namespace, text);
        }
    }

    /// Adds a type and the types within it. Skips a type with an invalid name: it is refused where it is used.
    fn define(&mut self, object: &'r Object<'j>, kind: Kind, outer: &str, text: usize) {
        let Ok((fullname, namespace)) = fullname(object, outer) else { return };
        let within = fullname.get(..namespace).unwrap_or_default().to_owned();
        let id = self.all.len();
        self.by_place.insert(address(object), id);
        self.by_name.entry(fullname.clone()).or_insert(id);
        self.all.push(Definition { object, kind, fullname, namespace, text });
        let fields = object.list(Key::Fields).filter(|_| kind == Kind::Record).unwrap_or_default();
        for field in fields.iter().filter_map(Raw::object).filter_map(|field| field.get(Key::Type)) {
            self.visit(field, &within, text);
        }
    }

    pub(super) fn get(&self, id: DefinitionId) -> Option<&Definition<'r, 'j>> {
        self.all.get(id)
    }

    /// Returns the number of types.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the type that `object` defines, in a text with the namespace `outer`.
    ///
    /// # Errors
    /// If its name is missing or too long, or the text defines another type with that name.
    pub(super) fn of_object(&self, object: &Object<'_>, outer: &str) -> Result<DefinitionId, SchemaError> {
        let Some(id) = self.by_place.get(&address(object)) else {
            let error = fullname(object, outer).err();
            return Err(error.unwrap_or_else(|| SchemaError("a type has no name".to_owned())));
        };
        let known = self.all.get(*id).and_then(|own| Some((own, *self.by_name.get(&own.fullname)?)));
        let Some((own, first)) = known else { return Ok(*id) };
        match self.all.get(first) {
            Some(other) if first != *id && other.text == own.text && other.object != own.object => {
                Err(SchemaError(format!("type {} is defined twice", shown(&own.fullname))))
            }
            _ => Ok(first),
        }
    }

    /// Returns the type that `name` means in the namespace `within`: by full name, then in that namespace, then without
    /// a namespace.
    pub(super) fn named(&self, name: &str, within: &str) -> Option<DefinitionId> {
        if name.contains('.') {
            return self.by_name.get(name.strip_prefix('.').unwrap_or(name)).copied();
        }
        let inner = (!within.is_empty()).then(|| self.by_name.get(&format!("{within}.{name}"))).flatten();
        inner.or_else(|| self.by_name.get(name)).copied()
    }

    /// Returns the former names of types ("Aliases" in the specification), by namespace and name.
    pub(super) fn aliases(&self) -> HashMap<(&str, &str), DefinitionId> {
        let mut aliases = HashMap::new();
        for definition in &self.all {
            // As elsewhere, the first definition of a name counts.
            let Some(id) = self.by_name.get(&definition.fullname) else { continue };
            let names = definition.object.list(Key::Aliases).unwrap_or_default().iter().filter_map(Raw::text);
            for name in names.filter(|name| name.len() <= MAX_NAME) {
                aliases.entry(name.rsplit_once('.').unwrap_or((definition.namespace(), name))).or_insert(*id);
            }
        }
        aliases
    }
}

/// Returns the full name of the type that `object` defines in the namespace `outer`, and the length of its namespace.
fn fullname(object: &Object<'_>, outer: &str) -> Result<(String, usize), SchemaError> {
    let name = object.text(Key::Name).ok_or_else(|| SchemaError("a record, enum or fixed has no name".to_owned()))?;
    let (namespace, name) = match name.rsplit_once('.') {
        Some(parts) => parts,
        None => (object.text(Key::Namespace).unwrap_or(outer), name),
    };
    if name.is_empty() {
        return Err(SchemaError("the name of a record, enum or fixed is empty".to_owned()));
    }
    let fullname = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") };
    check_length(&fullname)?;
    Ok((fullname, namespace.len()))
}

/// Checks the length of a name.
///
/// # Errors
/// If it exceeds 512 bytes.
pub(super) fn check_length(name: &str) -> Result<(), SchemaError> {
    if name.len() <= MAX_NAME {
        return Ok(());
    }
    Err(SchemaError(format!("a name has {} bytes, over {MAX_NAME}: {}", name.len(), shown(name))))
}

/// Returns `name`, cut for an error message.
pub(super) fn shown(name: &str) -> String {
    const SHOWN: usize = 100;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

fn address(object: &Object<'_>) -> usize {
    std::ptr::from_ref(object).addr()
}
