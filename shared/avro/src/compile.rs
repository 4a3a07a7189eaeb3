//! Compiles the texts of a schema into an arena of nodes. A new Avro type gets its line in [`Compiler::object`], a new
//! logical type in [`logical`].
//!
//! Time and memory are linear in the size of the texts. A named type is one node however often it is used. It is
//! compiled after the type that uses it, so the recursion is never deeper than the brackets of one text.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::SchemaError;
use super::definitions::{Definition, DefinitionId, Definitions, Kind, check_length, shown};
use super::logical;
use super::member::Member;
use super::names;
use super::node::{Field, Items, NodeId, Record, SchemaNode, Symbol};
use super::raw::{Key, Object, Raw};
use super::sizes;
use super::text::{self, Escapes, Text};

/// The bytes of a field name that count as one more value: in JSON, the names of small values take the most space.
const NAME_LEN: usize = 32;

/// Holds a schema's nodes and its root, with properties that reading does not need.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) nodes: Box<[SchemaNode]>,
    pub(super) root: NodeId,
    /// The full names of records, enums and fixed.
    pub(super) names: HashMap<NodeId, String>,
    /// The precision of each decimal.
    pub(super) precisions: HashMap<NodeId, u64>,
}

/// Compiles the first of `texts`; the others provide named types that it uses.
///
/// # Errors
/// If a type is missing, or lacks a property that reading needs.
pub(super) fn compile(texts: &[Raw<'_>]) -> Result<Compiled, SchemaError> {
    let definitions = Definitions::collect(texts);
    let mut compiler = Compiler {
        ids: vec![None; definitions.len()],
        definitions: &definitions,
        aliases: OnceCell::new(),
        nodes: Vec::new(),
        waiting: Vec::new(),
        names: HashMap::new(),
        precisions: HashMap::new(),
    };
    let first = texts.first().ok_or_else(|| SchemaError("there is no schema".to_owned()))?;
    let root = compiler.node(first, "")?;
    while let Some((id, definition)) = compiler.waiting.pop() {
        compiler.define(id, definition)?;
    }
    let Compiler { mut nodes, names, precisions, .. } = compiler;
    let order = in_order(&nodes, root);
    sizes::settle(&mut nodes, &order)?;
    Ok(Compiled { nodes: nodes.into(), root, names, precisions })
}

/// Returns all nodes, each after its parts, except where a record contains itself.
fn in_order(nodes: &[SchemaNode], root: NodeId) -> Vec<NodeId> {
    let mut met = vec![false; nodes.len()];
    if let Some(met) = met.get_mut(root as usize) {
        *met = true;
    }
    let mut finished = Vec::with_capacity(nodes.len());
    // Each node with the number of its next part.
    let mut open = vec![(root, 0)];
    while let Some((id, next)) = open.last_mut() {
        let part = nodes.get(*id as usize).and_then(|node| node.part(*next));
        *next += 1;
        match part {
            Some(part) => {
                if let Some(met) = met.get_mut(part as usize).filter(|met| !**met) {
                    *met = true;
                    open.push((part, 0));
                }
            }
            None => {
                finished.push(*id);
                open.pop();
            }
        }
    }
    finished
}

struct Compiler<'d, 'r, 'j> {
    definitions: &'d Definitions<'r, 'j>,
    aliases: OnceCell<HashMap<(&'d str, &'d str), DefinitionId>>,
    /// The nodes of the used named types.
    ids: Vec<Option<NodeId>>,
    nodes: Vec<SchemaNode>,
    /// Named types that are used but not compiled yet.
    waiting: Vec<(NodeId, &'d Definition<'r, 'j>)>,
    names: HashMap<NodeId, String>,
    precisions: HashMap<NodeId, u64>,
}

impl<'d, 'r, 'j> Compiler<'d, 'r, 'j> {
    /// Returns the node of the type `raw` in the namespace `within`.
    fn node(&mut self, raw: &Raw<'_>, within: &str) -> Result<NodeId, SchemaError> {
        match raw {
            Raw::Text(name) => self.name(name, None, within),
            Raw::List(branches) => self.union(branches, within),
            Raw::Object(object) => self.object(object, within),
            Raw::Number(_) | Raw::Other => Err(SchemaError("a type is a name, an object or a list".to_owned())),
        }
    }

    fn object(&mut self, object: &Object<'_>, within: &str) -> Result<NodeId, SchemaError> {
        match object.get(Key::Type) {
            Some(Raw::Text(name)) => match &**name {
                "array" => {
                    let items = self.items(object, Key::Items, "an array has no items", within)?;
                    self.add(SchemaNode::Array(items))
                }
                "map" => {
                    let values = self.items(object, Key::Values, "a map has no values", within)?;
                    self.add(SchemaNode::Map(values))
                }
                name if Kind::of(name).is_some() => {
                    let id = self.definitions.of_object(object, within)?;
                    self.named(id)
                }
                name => self.name(name, Some(object), within),
            },
            Some(inner @ (Raw::Object(_) | Raw::List(_))) => self.node(inner, within),
            Some(Raw::Number(_) | Raw::Other) | None => Err(SchemaError("a type has no \"type\"".to_owned())),
        }
    }

    /// Returns the type called `name`: a primitive type, with the logical type of `object`, or a named type.
    fn name(&mut self, name: &str, object: Option<&Object<'_>>, within: &str) -> Result<NodeId, SchemaError> {
        if let Some(node) = logical::primitive(name, object)? {
            let precision = precision(&node, object);
            let id = self.add(node)?;
            self.precisions.extend(precision.map(|precision| (id, precision)));
            return Ok(id);
        }
        match self.definitions.named(name, within).or_else(|| self.alias(name, within)) {
            Some(id) => self.named(id),
            None => Err(SchemaError(format!("type {} is used but not defined", shown(name)))),
        }
    }

    fn alias(&self, name: &str, within: &str) -> Option<DefinitionId> {
        let definitions = self.definitions;
        let aliases = self.aliases.get_or_init(|| definitions.aliases());
        match name.rsplit_once('.') {
            Some(parts) => aliases.get(&parts).copied(),
            None => aliases.get(&(within, name)).or_else(|| aliases.get(&("", name))).copied(),
        }
    }

    /// Returns the node of a named type, which is compiled once and later.
    fn named(&mut self, id: DefinitionId) -> Result<NodeId, SchemaError> {
        if let Some(known) = self.ids.get(id).copied().flatten() {
            return Ok(known);
        }
        let undefined = || SchemaError("a type is used but not defined".to_owned());
        let definition = self.definitions.get(id).ok_or_else(undefined)?;
        let node = self.add(SchemaNode::Record(Record::default()))?;
        if let Some(known) = self.ids.get_mut(id) {
            *known = Some(node);
        }
        self.names.insert(node, definition.fullname.clone());
        self.waiting.push((node, definition));
        Ok(node)
    }

    fn define(&mut self, id: NodeId, definition: &Definition<'_, '_>) -> Result<(), SchemaError> {
        let at = |error: SchemaError| SchemaError(format!("{}: {error}", shown(&definition.fullname)));
        let node = match definition.kind {
            Kind::Record => self.record(definition)?,
            Kind::Enum => enumeration(definition.object).map_err(at)?,
            Kind::Fixed => {
                let node = fixed(definition.object).map_err(at)?;
                let precision = precision(&node, Some(definition.object));
                self.precisions.extend(precision.map(|precision| (id, precision)));
                node
            }
        };
        if let Some(slot) = self.nodes.get_mut(id as usize) {
            *slot = node;
        }
        Ok(())
    }

    fn add(&mut self, node: SchemaNode) -> Result<NodeId, SchemaError> {
        let id = NodeId::try_from(self.nodes.len()).map_err(|_| SchemaError("too many types".to_owned()))?;
        self.nodes.push(node);
        Ok(id)
    }

    fn record(&mut self, definition: &Definition<'_, '_>) -> Result<SchemaNode, SchemaError> {
        let record = shown(&definition.fullname);
        let raw = definition.object.list(Key::Fields);
        let raw = raw.ok_or_else(|| SchemaError(format!("record {record} has no list of fields")))?;
        let mut names = HashSet::with_capacity(raw.len());
        let mut named = Vec::with_capacity(raw.len());
        for (number, field) in raw.iter().enumerate() {
            let at = |problem: &str| SchemaError(format!("record {record}, field number {}: {problem}", number + 1));
            let object = field.object().ok_or_else(|| at("it is not an object"))?;
            let name = object.text(Key::Name).filter(|name| !name.is_empty()).ok_or_else(|| at("it has no name"))?;
            check_length(name)?;
            if !names.insert(name.to_owned()) {
                return Err(at(&format!("another field is called {} too", shown(name))));
            }
            named.push((name, object));
        }
        let mut fields = Vec::with_capacity(named.len());
        for (name, object) in named {
            let at = |error: SchemaError| SchemaError(format!("record {record}, field {}: {error}", shown(name)));
            let kind = object.get(Key::Type).ok_or_else(|| at(SchemaError("it has no type".to_owned())))?;
            let node = self.node(kind, definition.namespace()).map_err(at)?;
            fields.push(field(name, node, &mut names).map_err(at)?);
        }
        Ok(SchemaNode::Record(Record { name: definition.fullname.as_str().into(), fields: fields.into(), first: 0 }))
    }

    fn union(&mut self, raw: &[Raw<'_>], within: &str) -> Result<NodeId, SchemaError> {
        let mut branches = Vec::with_capacity(raw.len());
        for branch in raw {
            if is_union(branch) {
                return Err(SchemaError("a union is a branch of a union".to_owned()));
            }
            branches.push(self.node(branch, within)?);
        }
        let is_null = |id: NodeId| self.nodes.get(id as usize) == Some(&SchemaNode::Null);
        let node = match *branches {
            [] => return Err(SchemaError("a union has no branches".to_owned())),
            [null, other] if is_null(null) => SchemaNode::Nullable { null: 0, other },
            [other, null] if is_null(null) => SchemaNode::Nullable { null: 1, other },
            _ => SchemaNode::Union(branches.into()),
        };
        self.add(node)
    }

    /// Returns items whose sizes [`sizes::settle`] fills in at the end.
    fn items(&mut self, object: &Object<'_>, key: Key, missing: &str, within: &str) -> Result<Items, SchemaError> {
        let raw = object.get(key).ok_or_else(|| SchemaError(missing.to_owned()))?;
        Ok(Items { node: self.node(raw, within)?, min_size: 0, weight: 1 })
    }
}

/// Returns the precision of a decimal.
fn precision(node: &SchemaNode, object: Option<&Object<'_>>) -> Option<u64> {
    let object = object.filter(|_| matches!(node, SchemaNode::Decimal { .. }))?;
    object.number(Key::Precision)
}

fn is_union(raw: &Raw<'_>) -> bool {
    match raw {
        Raw::List(_) => true,
        Raw::Object(object) => object.get(Key::Type).is_some_and(is_union),
        Raw::Text(_) | Raw::Number(_) | Raw::Other => false,
    }
}

fn enumeration(object: &Object<'_>) -> Result<SchemaNode, SchemaError> {
    let missing = || SchemaError("an enum has no list of symbols".to_owned());
    let raw = object.list(Key::Symbols).ok_or_else(missing)?;
    let mut symbols = Vec::with_capacity(raw.len());
    for name in raw {
        let name = name.text().ok_or_else(|| SchemaError("a symbol of an enum is not text".to_owned()))?;
        check_length(name)?;
        symbols.push(Symbol { name: name.into(), json: json_text(name).into() });
    }
    Ok(SchemaNode::Enum(symbols.into()))
}

fn fixed(object: &Object<'_>) -> Result<SchemaNode, SchemaError> {
    let size = object.number(Key::Size).and_then(|size| usize::try_from(size).ok());
    let size =
        size.ok_or_else(|| SchemaError("a fixed has no size, or one that is not a count of bytes".to_owned()))?;
    logical::fixed(size, object)
}

/// Returns a field. `names` are the names in the record; the field's document name is added to them.
fn field(name: &str, node: NodeId, names: &mut HashSet<String>) -> Result<Field, SchemaError> {
    let document_name = names::in_document(name, |other| names.contains(other));
    let too_many = || SchemaError("more than 100 fields would be called the same in a document".to_owned());
    let document_name = document_name.ok_or_else(too_many)?;
    if document_name != name {
        names.insert(document_name.clone());
    }
    let member = Member::of(&document_name);
    let cost = 1 + member.json().len() / NAME_LEN;
    let cost = u32::try_from(cost).unwrap_or(u32::MAX);
    Ok(Field { name: name.into(), document_name: document_name.into(), member, node, cost })
}

fn json_text(text: &str) -> Vec<u8> {
    let mut json = Vec::new();
    text::write_json(Text { bytes: text.as_bytes(), escapes: Escapes::Possible }, &mut json);
    json
}
