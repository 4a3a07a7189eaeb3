//! Readiness as a list of named conditions. Each is owned by the stage that knows its state.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// The reason of a condition that has not been reported yet.
const STARTING: &str = "starting";
/// The separator between the name of a condition and its part. No condition and no topic has it in its name.
const OF: &str = " of ";

/// Holds all conditions of one service. The service is ready if it has conditions and each is met.
#[derive(Debug, Default)]
pub struct Readiness {
    conditions: Mutex<Vec<Entry>>,
    /// The readiness that contains this one, and the name of this part.
    whole: Option<(Arc<Self>, String)>,
}

/// A condition, and the time of its last change.
#[derive(Debug)]
struct Entry {
    name: String,
    state: ConditionState,
    since: Instant,
}

/// The state of a condition, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The condition is met.
    Met,
    /// The condition is met, but something is wrong.
    MetBut,
    /// The condition is not met.
    Unmet,
}

/// Describes a condition for [`Readiness::report`].
#[derive(Clone, Debug)]
pub struct Report {
    /// The name.
    pub name: String,
    /// The state.
    pub standing: Standing,
    /// Why the condition is not met, or what is wrong although it is met. Empty if nothing is wrong.
    pub text: String,
    /// The time of the last change of state.
    pub since: Instant,
}

/// The state of a condition with its reason.
#[derive(Clone, Debug)]
enum ConditionState {
    Met,
    /// Met, with a remark about something that is wrong.
    MetBut(String),
    Unmet(String),
}

/// One condition of a service's readiness, for example "kafka". Starts unmet.
#[derive(Clone, Debug)]
pub struct Condition {
    readiness: Arc<Readiness>,
    name: String,
}

impl Readiness {
    /// Returns a readiness without conditions. It is not ready, since the parts of the service have yet to register
    /// theirs.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Adds the condition `name`, unmet with the reason "starting". If the name exists, returns that condition.
    pub fn condition(self: &Arc<Self>, name: &str) -> Condition {
        if let Some((whole, part)) = &self.whole {
            return whole.condition(&format!("{name}{OF}{part}"));
        }
        let condition = Condition { readiness: Arc::clone(self), name: name.to_owned() };
        condition.unmet(STARTING);
        condition
    }

    /// Returns a part of this readiness. Its condition `name` is called `name of part` here.
    pub fn part(self: &Arc<Self>, part: &str) -> Arc<Self> {
        Arc::new(Self { whole: Some((Arc::clone(self), part.to_owned())), ..Self::default() })
    }

    /// Returns the unmet conditions with their reasons, or `service` if there are no conditions yet.
    pub fn unmet(&self) -> Vec<(String, String)> {
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        if conditions.is_empty() {
            return vec![("service".to_owned(), STARTING.to_owned())];
        }
        let unmet = |Entry { name, state, .. }: &Entry| match state {
            ConditionState::Unmet(reason) => Some((name.clone(), reason.clone())),
            ConditionState::Met | ConditionState::MetBut(_) => None,
        };
        conditions.iter().filter_map(unmet).collect()
    }

    /// Returns the remarks about conditions that are met, by condition.
    pub fn remarks(&self) -> Vec<(String, String)> {
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        let remark = |Entry { name, state, .. }: &Entry| match state {
            ConditionState::MetBut(remark) => Some((name.clone(), remark.clone())),
            ConditionState::Met | ConditionState::Unmet(_) => None,
        };
        conditions.iter().filter_map(remark).collect()
    }

    /// Returns each condition with whether it is met.
    pub fn states(&self) -> Vec<(String, bool)> {
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        conditions.iter().map(|entry| (entry.name.clone(), !matches!(entry.state, ConditionState::Unmet(_)))).collect()
    }

    /// Splits the `name` of a condition into its own name and its part ("" if it has no part).
    pub fn name_and_part(name: &str) -> (&str, &str) {
        name.split_once(OF).unwrap_or((name, ""))
    }

    /// Returns all conditions.
    pub fn report(&self) -> Vec<Report> {
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        conditions.iter().map(Entry::report).collect()
    }

    /// Returns whether every condition is met.
    pub fn is_ready(&self) -> bool {
        self.unmet().is_empty()
    }

    fn set(&self, name: &str, state: ConditionState) {
        let mut conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        match conditions.iter_mut().find(|known| known.name == name) {
            Some(known) => known.set(state),
            None => conditions.push(Entry { name: name.to_owned(), state, since: Instant::now() }),
        }
    }
}

impl Entry {
    /// Sets the state. Another reason for the same state keeps the time of the last change.
    fn set(&mut self, state: ConditionState) {
        if self.state.standing() != state.standing() {
            self.since = Instant::now();
        }
        self.state = state;
    }

    fn report(&self) -> Report {
        let text = match &self.state {
            ConditionState::Met => "",
            ConditionState::MetBut(text) | ConditionState::Unmet(text) => text,
        };
        let standing = self.state.standing();
        Report { name: self.name.clone(), standing, text: text.to_owned(), since: self.since }
    }
}

impl ConditionState {
    fn standing(&self) -> Standing {
        match self {
            Self::Met => Standing::Met,
            Self::MetBut(_) => Standing::MetBut,
            Self::Unmet(_) => Standing::Unmet,
        }
    }
}

impl Condition {
    /// Returns whether the condition is met.
    pub fn is_met(&self) -> bool {
        !self.readiness.unmet().iter().any(|(name, _)| *name == self.name)
    }

    /// Marks the condition as met.
    pub fn met(&self) {
        self.readiness.set(&self.name, ConditionState::Met);
    }

    /// Marks the condition as met, with a remark that `/readyz` shows. For a part of the service that fails while the
    /// rest must stay in service.
    pub fn met_but(&self, remark: impl Into<String>) {
        self.readiness.set(&self.name, ConditionState::MetBut(remark.into()));
    }

    /// Marks the condition as not met. `/readyz` shows `reason` to everybody, so it must say what to do and must not
    /// contain a secret.
    pub fn unmet(&self, reason: impl Into<String>) {
        self.readiness.set(&self.name, ConditionState::Unmet(reason.into()));
    }
}
