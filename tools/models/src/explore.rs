//! Runs the checker on a model, and collects what it finds.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, Expectation, HasDiscoveries, Model, Path};

/// How many threads explore a model.
const THREADS: usize = 2;

/// What the exploration of a model found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// The number of different states.
    pub states: usize,
    /// The properties that do not hold, each with the steps that lead to the failure.
    pub failures: BTreeMap<&'static str, String>,
    /// Situations that the model should reach and does not. Without them it proves nothing.
    pub unreached: Vec<&'static str>,
}

/// What can be explored.
pub trait World:
    Model<State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static, Action: Clone + Debug + PartialEq>
    + Send
    + Sync
    + 'static
{
}

impl<M> World for M
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
}

/// Explores all states of `model`.
pub fn explore(model: impl World) -> Explored {
    collect(&model.checker().threads(THREADS).spawn_bfs().join())
}

/// Explores `model` until a property fails.
pub fn first_failure(model: impl World) -> Explored {
    let checker = model.checker().threads(THREADS).finish_when(HasDiscoveries::AnyFailures).spawn_bfs();
    collect(&checker.join())
}

fn collect<M: World>(checker: &impl Checker<M>) -> Explored {
    let mut discoveries = checker.discoveries();
    let mut explored = Explored { states: checker.unique_state_count(), ..Explored::default() };
    for property in checker.model().properties() {
        match (property.expectation, discoveries.remove(property.name)) {
            (Expectation::Always | Expectation::Eventually, Some(path)) => {
                explored.failures.insert(property.name, trace(path));
            }
            (Expectation::Sometimes, None) => explored.unreached.push(property.name),
            (Expectation::Always | Expectation::Eventually, None) | (Expectation::Sometimes, Some(_)) => {}
        }
    }
    explored
}

/// Returns the steps of `path`, one on each line, and the state that they lead to.
fn trace<S: Debug, A: Debug>(path: Path<S, A>) -> String {
    let last = format!("{:?}", path.last_state());
    let steps: Vec<String> = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
    format!("{}\n{last}", steps.join("\n"))
}
