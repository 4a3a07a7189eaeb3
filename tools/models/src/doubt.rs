//! One index, documents that it refuses for good or for bad reasons, and the evidence that decides between them.
//!
//! These parts are real: the judging of answers, the evidence (`Doubts`), the attempt with its witness and the verdict
//! (`Case`). The world is Elasticsearch: an index that breaks and heals, one node of several that is at fault, a full
//! shard, an outage, and single refusals without any reason.
//!
//! Time plays no part: every refusal counts as late enough for a verdict, which is the hardest case.
//!
//! P5: no good document becomes a dead letter; in the end each good document is indexed and each bad one is a dead
//! letter.

use std::sync::{Arc, LazyLock};

use indexer::bulk::doubt::Doubts;
use stateright::{Model, Property};

use crate::Broken;
use steps::{Fate, Steps};

mod steps;

/// The property that no good document is lost.
pub const GOOD_IS_KEPT: &str = "P5: no good document becomes a dead letter";
/// The property that all documents are decided in the end.
pub const ALL_DECIDED: &str = "P5: in the end each document is indexed or, if it is bad, a dead letter";

/// The name of the index.
static INDEX: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("events"));

/// How the index refuses documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manner {
    /// With 400 and a type that says nothing.
    Unknown,
    /// With the 400 that a full shard gives too, so that a witness proves nothing.
    LikeFullShard,
    /// With 500.
    Server,
}

/// What is wrong with Elasticsearch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The index refuses every document.
    Index,
    /// One node of several refuses every document.
    Node,
    /// One shard of several is full: it refuses new documents.
    FullShard,
    /// No request is answered.
    Outage,
}

/// The documents, and how much may go wrong.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// How documents are refused.
    pub manner: Manner,
    /// The documents to follow: whether each is good.
    pub documents: Vec<bool>,
    /// How many other good documents arrive meanwhile.
    pub others: u8,
    /// What may go wrong.
    pub faults: Vec<Fault>,
    /// How often something goes wrong.
    pub breaks: u8,
    /// How many refusals have no reason at all.
    pub flaws: u8,
    /// How it is broken.
    pub broken: Option<Broken>,
}

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    doubts: Doubts,
    documents: Vec<Fate>,
    fault: Option<Fault>,
    /// Whether the topic is blocked: only one request at a time tests the index.
    is_blocked: bool,
    has_witness: bool,
    others: u8,
    breaks: u8,
    flaws: u8,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something goes wrong.
    Break(Fault),
    /// Nothing is wrong any more.
    Heal,
    /// Another good document is sent.
    Other,
    /// A document is sent, in its batch or alone with its witness.
    Send(usize, Way),
}

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A node without a fault of its own.
    Plain,
    /// The node at fault.
    BadNode,
    /// A refusal of this document without any reason.
    Flaw,
}

impl Model for Doubt {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            doubts: Doubts::default(),
            documents: vec![Fate::Unsent; self.documents.len()],
            fault: None,
            is_blocked: false,
            has_witness: false,
            others: self.others,
            breaks: self.breaks,
            flaws: self.flaws,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        match state.fault {
            Some(_) => steps.push(Step::Heal),
            None if state.breaks > 0 => steps.extend(self.faults.iter().copied().map(Step::Break)),
            None => {}
        }
        if self.is(Broken::BlockIsFinal) && state.is_blocked {
            return;
        }
        let is_accepting = !matches!(state.fault, Some(Fault::Index | Fault::Outage));
        if state.others > 0 && is_accepting {
            steps.push(Step::Other);
        }
        for (number, fate) in state.documents.iter().enumerate() {
            if matches!(fate, Fate::Indexed | Fate::Dead) {
                continue;
            }
            steps.push(Step::Send(number, Way::Plain));
            if state.fault == Some(Fault::Node) {
                steps.push(Step::Send(number, Way::BadNode));
            }
            if state.flaws > 0 && is_accepting && self.documents[number] {
                steps.push(Step::Send(number, Way::Flaw));
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        Steps(self).carry_out(&mut next, step);
        // An attempt that shows nothing new leads nowhere: without this it would be a cycle.
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(GOOD_IS_KEPT, |model: &Self, state: &State| {
                let mut documents = model.documents.iter().zip(&state.documents);
                documents.all(|(is_good, fate)| !is_good || *fate != Fate::Dead)
            }),
            Property::eventually(ALL_DECIDED, |model: &Self, state: &State| {
                let mut documents = model.documents.iter().zip(&state.documents);
                documents.all(|(is_good, fate)| match is_good {
                    true => *fate == Fate::Indexed,
                    // Without a witness, only other documents decide, and there may be no more of them.
                    false => *fate == Fate::Dead || model.manner == Manner::LikeFullShard,
                })
            }),
            Property::sometimes("a bad document becomes a dead letter", |model: &Self, state: &State| {
                !model.documents.contains(&false) || state.documents.contains(&Fate::Dead)
            }),
            Property::sometimes("an index at fault blocks the topic", |model: &Self, state: &State| {
                !model.faults.contains(&Fault::Index) || state.is_blocked && state.fault == Some(Fault::Index)
            }),
            Property::sometimes("a good document is in doubt", |model: &Self, state: &State| {
                let mut documents = model.documents.iter().zip(&state.documents);
                documents.any(|(is_good, fate)| *is_good && matches!(fate, Fate::Undecided(_)))
            }),
        ]
    }
}

impl Doubt {
    fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }
}
