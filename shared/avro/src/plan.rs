//! A schema with the rules for its fields built in, so that a walk meets them only where they apply. Types without
//! rules are walked as before.
//!
//! The nodes on the way to a rule are copied, since other fields may use the same types: a person's name may be hidden
//! in one field and not in another. All other nodes stay as they are, and keep their numbers.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::SchemaError;
use super::definitions::shown;
use super::hide::Hide;
use super::member::Member;
use super::node::{Entry, Field, Items, Keyed, NodeId, Record, SchemaNode};
use super::rules::{Action, FieldRules, Places, Rule};

/// The most nodes created for rules: paths with many `*` may lead through records that contain themselves in ever more
/// ways.
const MAX_MADE: usize = 100_000;

/// Holds the nodes with rules.
pub(super) struct Planned {
    pub(super) nodes: Box<[SchemaNode]>,
    pub(super) root: NodeId,
    /// The paths of the rules that match a field of the schema.
    pub(super) met: BTreeSet<String>,
}

/// Builds `rules` into the schema of `nodes`.
///
/// # Errors
/// If a rule cannot be applied, because a field would get the name of another one.
pub(super) fn plan(nodes: &[SchemaNode], root: NodeId, rules: &FieldRules) -> Result<Planned, SchemaError> {
    let mut planner =
        Planner { nodes: nodes.to_vec(), given: nodes.len(), rules, known: HashMap::new(), met: BTreeSet::new() };
    let root = planner.root(root)?;
    Ok(Planned { nodes: planner.nodes.into(), root, met: planner.met })
}

struct Planner<'r> {
    nodes: Vec<SchemaNode>,
    /// The number of nodes in the original schema.
    given: usize,
    rules: &'r FieldRules,
    known: HashMap<(NodeId, Places), NodeId>,
    met: BTreeSet<String>,
}

impl Planner<'_> {
    /// Returns the node of an event: a record, or a union with records. Any other type becomes the field `value` of its
    /// document.
    fn root(&mut self, id: NodeId) -> Result<NodeId, SchemaError> {
        let at = self.rules.root();
        match self.get(id) {
            SchemaNode::Record(_) => self.beneath(id, &at),
            SchemaNode::Union(branches) if self.has_record(&branches) => {
                let branches = branches.iter().map(|branch| self.root(*branch)).collect::<Result<_, _>>()?;
                self.instead(id, SchemaNode::Union(branches))
            }
            SchemaNode::Nullable { null, other } if self.has_record(&[other]) => {
                let other = self.root(other)?;
                self.instead(id, SchemaNode::Nullable { null, other })
            }
            _ => self.value(id, &at),
        }
    }

    fn value(&mut self, id: NodeId, at: &[usize]) -> Result<NodeId, SchemaError> {
        let at = self.rules.step(at, "value");
        self.note_met(&at);
        match self.rules.winner(&at) {
            None | Some(Rule { action: Action::Keep, .. }) => self.beneath(id, &at),
            Some(Rule { action: Action::Hide(how), .. }) if *how != Hide::Drop => self.hide(id, &how.clone()),
            Some(Rule { path, .. }) => Err(SchemaError(format!(
                "{path}: an event that is not a record has only this value, which cannot be dropped or renamed"
            ))),
        }
    }

    /// Returns the node of the type `id` with the rules `at` it applied to its parts.
    fn beneath(&mut self, id: NodeId, at: &[usize]) -> Result<NodeId, SchemaError> {
        if at.is_empty() {
            return Ok(id);
        }
        let key = (id, at.to_vec());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let node = match self.get(id) {
            SchemaNode::Record(record) => SchemaNode::Record(self.record(record, at)?),
            SchemaNode::Map(items) => self.map(items, at)?,
            SchemaNode::Array(items) => SchemaNode::Array(Items { node: self.beneath(items.node, at)?, ..items }),
            SchemaNode::Nullable { null, other } => SchemaNode::Nullable { null, other: self.beneath(other, at)? },
            SchemaNode::Union(branches) => {
                SchemaNode::Union(branches.iter().map(|branch| self.beneath(*branch, at)).collect::<Result<_, _>>()?)
            }
            other => other,
        };
        let made = self.instead(id, node)?;
        self.known.insert(key, made);
        Ok(made)
    }

    fn record(&mut self, record: Record, at: &[usize]) -> Result<Record, SchemaError> {
        let fields =
            record.fields.iter().map(|field| self.field(field, at)).collect::<Result<Box<[Field]>, SchemaError>>()?;
        let mut names = HashSet::new();
        if let Some(twice) = fields.iter().find(|field| !field.is_dropped() && !names.insert(&*field.document_name)) {
            return Err(SchemaError(format!(
                "two fields of the record {} would be called {}: rename to another name, or drop one of them",
                shown(&record.name),
                shown(&twice.document_name)
            )));
        }
        let first = fields.iter().position(|field| !field.is_dropped()).unwrap_or(fields.len());
        Ok(Record { name: record.name, fields, first: u32::try_from(first).unwrap_or(u32::MAX) })
    }

    fn field(&mut self, field: &Field, at: &[usize]) -> Result<Field, SchemaError> {
        let at = self.rules.step(at, &field.document_name);
        self.note_met(&at);
        let action = self.rules.winner(&at).map(|rule| rule.action.clone());
        let mut field = field.clone();
        match action {
            Some(Action::Hide(how)) => {
                field.node = self.hide(field.node, &how)?;
                if how == Hide::Drop {
                    field.member = Member::omitted();
                }
                return Ok(field);
            }
            Some(Action::Rename(name)) => {
                field.member = Member::of(&name);
                field.document_name = name.into();
            }
            Some(Action::Keep) | None => {}
        }
        field.node = self.beneath(field.node, &at)?;
        Ok(field)
    }

    fn map(&mut self, items: Items, at: &[usize]) -> Result<SchemaNode, SchemaError> {
        let (node, is_dropped) = self.entry(items.node, &self.rules.step_to_any(at))?;
        let mut entries = Vec::new();
        for name in self.rules.names(at).into_iter().map(str::to_owned).collect::<Vec<_>>() {
            let (node, is_dropped) = self.entry(items.node, &self.rules.step(at, &name))?;
            entries.push(Entry { key: name.into(), node, is_dropped });
        }
        if entries.is_empty() && !is_dropped {
            return Ok(SchemaNode::Map(Items { node, ..items }));
        }
        Ok(SchemaNode::Keyed(Box::new(Keyed { items: Items { node, ..items }, is_dropped, entries: entries.into() })))
    }

    /// Returns the node of an entry's value with the rules `at` it, and whether the entry is omitted.
    fn entry(&mut self, id: NodeId, at: &[usize]) -> Result<(NodeId, bool), SchemaError> {
        self.note_met(at);
        match self.rules.winner(at) {
            Some(Rule { action: Action::Hide(Hide::Drop), .. }) => Ok((id, true)),
            Some(Rule { action: Action::Hide(how), .. }) => {
                let how = how.clone();
                Ok((self.hide(id, &how)?, false))
            }
            Some(Rule { action: Action::Rename(_), path }) => {
                Err(SchemaError(format!("{path}: the key of a map cannot be renamed")))
            }
            Some(Rule { action: Action::Keep, .. }) | None => Ok((self.beneath(id, at)?, false)),
        }
    }

    /// Returns a node of the type `id` with hidden values: each item of an array separately, any other value as a
    /// whole.
    fn hide(&mut self, id: NodeId, how: &Hide) -> Result<NodeId, SchemaError> {
        let node = match self.get(id) {
            // Drops null values too.
            _ if *how == Hide::Drop => SchemaNode::Hidden { inner: id, how: Hide::Drop },
            SchemaNode::Null => SchemaNode::Null,
            SchemaNode::Nullable { null, other } => SchemaNode::Nullable { null, other: self.hide(other, how)? },
            SchemaNode::Union(branches) => {
                SchemaNode::Union(branches.iter().map(|branch| self.hide(*branch, how)).collect::<Result<_, _>>()?)
            }
            SchemaNode::Array(items) => SchemaNode::Array(Items { node: self.hide(items.node, how)?, ..items }),
            _ => SchemaNode::Hidden { inner: id, how: how.clone() },
        };
        self.instead(id, node)
    }

    /// Returns a node equal to `node`: `id` itself if it is equal, else a new one.
    fn instead(&mut self, id: NodeId, node: SchemaNode) -> Result<NodeId, SchemaError> {
        if self.nodes.get(id as usize) == Some(&node) {
            return Ok(id);
        }
        if self.nodes.len() - self.given >= MAX_MADE {
            return Err(SchemaError(format!("the paths lead to more than {MAX_MADE} types")));
        }
        let made = NodeId::try_from(self.nodes.len()).map_err(|_| SchemaError("too many types".to_owned()))?;
        self.nodes.push(node);
        Ok(made)
    }

    fn note_met(&mut self, at: &[usize]) {
        self.met.extend(self.rules.met(at).map(str::to_owned));
    }

    fn has_record(&self, branches: &[NodeId]) -> bool {
        branches.iter().any(|branch| matches!(self.nodes.get(*branch as usize), Some(SchemaNode::Record(_))))
    }

    fn get(&self, id: NodeId) -> SchemaNode {
        self.nodes.get(id as usize).cloned().unwrap_or(SchemaNode::Null)
    }
}
