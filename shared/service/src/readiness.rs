//! Readiness as a list of named conditions, each owned by the stage that can tell.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Why something is not met that nobody has spoken of yet.
const STARTING: &str = "starting";
/// What stands between the name of a condition and the part that it is of. No name of ours has it, nor has a topic.
const OF: &str = " of ";

/// All conditions of one service. The service is ready when there are some and each is met.
#[derive(Debug, Default)]
pub struct Readiness {
    conditions: Mutex<Vec<Entry>>,
    /// The readiness that this one is a part of, and the part's name.
    whole: Option<(Arc<Self>, String)>,
}

/// A condition, and since when it stands as it does.
#[derive(Debug)]
struct Entry {
    name: String,
    state: ConditionState,
    since: Instant,
}

/// How a condition stands, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is met.
    Met,
    /// It is met, and something is wrong all the same.
    MetBut,
    /// It is not met.
    Unmet,
}

/// A condition as [`Readiness::report`] tells it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// Why it is not met, or what is wrong all the same; empty where nothing is.
    pub text: String,
    /// Since when it stands so.
    pub since: Instant,
}

/// How a condition stands, and why.
#[derive(Clone, Debug)]
enum ConditionState {
    Met,
    /// Met, but with something that is wrong all the same.
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
    /// Returns one without conditions: not ready, since the parts of the service have not registered theirs yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Adds the condition `name`, unmet with the reason "starting". A name that is already there is the same condition.
    pub fn condition(self: &Arc<Self>, name: &str) -> Condition {
        if let Some((whole, part)) = &self.whole {
            return whole.condition(&format!("{name}{OF}{part}"));
        }
        let condition = Condition { readiness: Arc::clone(self), name: name.to_owned() };
        condition.unmet(STARTING);
        condition
    }

    /// A part of this readiness: what is added to it as `name` is `name of part` here.
    pub fn part(self: &Arc<Self>, part: &str) -> Arc<Self> {
        Arc::new(Self { whole: Some((Arc::clone(self), part.to_owned())), ..Self::default() })
    }

    /// Returns the conditions that are not met, each with its reason; `service` as long as there is none.
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

    /// Returns what is wrong although the conditions are met, by condition.
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

    /// Returns what `name`, of a condition, says: its own name, and the part that it is of ("" where it is of none).
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
    /// Another reason for the same standing does not begin anew.
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

    /// Marks the condition as met, with a remark that `/readyz` shows all the same: a part of the service does not
    /// work, and the rest must not be taken out of service for it.
    pub fn met_but(&self, remark: impl Into<String>) {
        self.readiness.set(&self.name, ConditionState::MetBut(remark.into()));
    }

    /// Marks the condition as not met. `reason` is shown by `/readyz` to everybody: it must say what to do and hold no
    /// secret.
    pub fn unmet(&self, reason: impl Into<String>) {
        self.readiness.set(&self.name, ConditionState::Unmet(reason.into()));
    }
}
