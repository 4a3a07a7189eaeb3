//! Keeps what has been learnt about an index: the mapping of all schemas seen, and which indices have its fields.
//! Pure.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// What has been learnt about an index so far.
#[derive(Debug)]
pub(super) struct IndexState {
    /// The mapping of all schemas seen.
    pub(super) mapping: Value,
    /// Mappings of schemas that contradict `mapping`, which holds the earlier ones.
    pub(super) contradicting: Vec<Value>,
    /// The texts that were logged, so that each is logged once.
    pub(super) logged: HashSet<String>,
    /// Whether the server has nothing that carries the lifecycle out.
    pub(super) without_lifecycle: bool,
    /// The creation dates of the backing indices, in milliseconds since the Unix epoch, if documents may re-create
    /// them.
    pub(super) created: HashMap<String, i64>,
    /// Changes whenever `mapping` or `contradicting` changes.
    pub(super) version: u64,
    /// The version that the template and the current index have.
    pub(super) evolved: Option<u64>,
    /// The version up to which each index has all fields, by name.
    pub(super) prepared: HashMap<String, u64>,
    /// The template that wins the names of the indices, if it is not ours.
    pub(super) shadow: Option<String>,
    /// How many fields of each index have another type there than in the schemas.
    pub(super) conflicts: HashMap<String, usize>,
}

impl IndexState {
    /// Creates the state before the first schema. `mapping` has the fields that every document has.
    pub(super) fn new(mapping: Value) -> Self {
        Self {
            mapping,
            contradicting: Vec::new(),
            logged: HashSet::new(),
            without_lifecycle: false,
            created: HashMap::new(),
            version: 0,
            evolved: None,
            prepared: HashMap::new(),
            conflicts: HashMap::new(),
            shadow: None,
        }
    }

    /// Returns whether the template and the current index have all fields.
    pub(super) fn is_evolved(&self) -> bool {
        self.evolved == Some(self.version)
    }

    /// Returns whether `index` has all fields.
    pub(super) fn is_prepared(&self, index: &str) -> bool {
        self.prepared.get(index) == Some(&self.version)
    }
}
