//! Requests that wait for permission while Elasticsearch fails, is blocked or is overloaded, and recovers.
//!
//! The throttle is real: the limit of requests in flight and the breaker. The world is Elasticsearch, the tasks that
//! ask for permission, in any order, and requests that are given up.
//!
//! P5: a failure pauses and resumes by itself: in the end every request has been sent. P6: the limit holds.

use std::hash::{Hash, Hasher};
use std::sync::LazyLock;
use std::time::Instant;

use indexer::bulk::aimd::{Aimd, Signal};
use indexer::bulk::breaker::{Breaker, Position};
use indexer::bulk::limiter::throttle::{Admitted, Health, Later, Throttle};
use indexer::bulk::outcome::{Block, BlockKind, BulkFailure, Trouble};
use stateright::{Model, Property};

use crate::Broken;

/// The property that every request is sent in the end.
pub const ALL_SENT: &str = "P5: in the end every request has been sent";
/// The property that the throttle admits no more requests than it may.
pub const LIMIT_HOLDS: &str = "P6: no more requests are in flight than the limit, and one probe";
/// The property that only probes are sent while requests are held back.
pub const HELD_BACK: &str = "P5: only a probe is sent while requests are held back";

/// The most requests in flight.
const LIMIT: usize = 2;
/// The failures in a row after which the breaker opens.
const FAILURES: u32 = 2;
const BYTES: usize = 1 << 20;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The requests, and how much may go wrong.
#[derive(Clone, Debug)]
pub struct Requests {
    /// How many requests each task has to send, and whether they count towards the limit.
    pub tasks: Vec<(u8, bool)>,
    /// How often Elasticsearch goes down or is blocked.
    pub breaks: u8,
    /// How many answers are failures.
    pub failures: u8,
    /// How many requests are given up.
    pub drops: u8,
    /// How it is broken.
    pub broken: Option<Broken>,
}

/// One moment.
#[derive(Clone, Debug)]
pub struct State {
    throttle: Throttle,
    now: Instant,
    server: Server,
    /// The number of requests that each task has left, and the one that is in flight.
    tasks: Vec<(u8, Option<Admitted>)>,
    /// Whether a request other than a probe was let through while requests were held back.
    is_leaky: bool,
    breaks: u8,
    failures: u8,
    drops: u8,
}

/// The state of Elasticsearch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// It accepts documents.
    Up,
    /// It does not answer.
    Down,
    /// An operator must act.
    Blocked,
}

/// One step. The numbers are those of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The state of Elasticsearch changes.
    Become(Server),
    /// Time passes until the next probe is due.
    Wait(Instant),
    /// The task is given permission, and sends its request.
    Admit(usize),
    /// The request is answered.
    Answer(usize),
    /// The request is refused for overload.
    Overload(usize),
    /// The request is given up, and sent again later.
    Drop(usize),
}

impl Model for Requests {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            throttle: Throttle::new(Aimd::new(LIMIT, BYTES), Breaker::new(FAILURES)),
            now: *START,
            server: Server::Up,
            tasks: self.tasks.iter().map(|(requests, _)| (*requests, None)).collect(),
            is_leaky: false,
            breaks: self.breaks,
            failures: self.failures,
            drops: self.drops,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        match state.server {
            Server::Up if state.breaks > 0 => {
                steps.extend([Step::Become(Server::Down), Step::Become(Server::Blocked)]);
            }
            Server::Up => {}
            Server::Down | Server::Blocked => steps.push(Step::Become(Server::Up)),
        }
        for (number, (left, in_flight)) in state.tasks.iter().enumerate() {
            match in_flight {
                Some(_) => self.steps_of_request(state, number, steps),
                None if *left == 0 => {}
                None => match state.throttle.clone().admit(self.tasks[number].1, state.now) {
                    Ok(_) => steps.push(Step::Admit(number)),
                    Err(Later::At(until)) if !steps.contains(&Step::Wait(until)) => steps.push(Step::Wait(until)),
                    Err(Later::At(_) | Later::AtChange) => {}
                },
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Become(server) => {
                next.breaks -= u8::from(server != Server::Up);
                next.server = server;
            }
            Step::Wait(until) => next.now = until,
            Step::Admit(number) => {
                let is_held_back = next.throttle.pause().is_some();
                let admitted = next.throttle.admit(self.tasks[number].1, next.now).ok()?;
                next.is_leaky |= is_held_back && !admitted.probe;
                next.tasks[number].1 = Some(admitted);
            }
            Step::Answer(number) => next.answer(number),
            Step::Overload(number) => {
                next.failures -= 1;
                next.end(number, Signal::Overloaded, Some(failure(Trouble::Overload)));
            }
            Step::Drop(number) => {
                next.drops -= 1;
                match self.broken {
                    Some(Broken::ProbeIsForgotten) => next.tasks[number].1 = None,
                    _ => next.end(number, Signal::Nothing, None),
                }
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(LIMIT_HOLDS, |_, state: &State| {
                let in_flight = || state.tasks.iter().filter_map(|(_, in_flight)| in_flight.as_ref());
                let slots = in_flight().filter(|admitted| admitted.has_slot && !admitted.probe).count();
                slots <= LIMIT && in_flight().filter(|admitted| admitted.probe).count() <= 1
            }),
            Property::always(HELD_BACK, |_, state: &State| !state.is_leaky),
            Property::eventually(ALL_SENT, |_, state: &State| state.tasks.iter().all(|(left, _)| *left == 0)),
            Property::sometimes("a probe is in flight while other requests hang", |_, state: &State| {
                let in_flight = state.tasks.iter().filter(|(_, in_flight)| in_flight.is_some()).count();
                state.throttle.position() == Position::HalfOpen && in_flight > 1
            }),
        ]
    }
}

impl Requests {
    fn steps_of_request(&self, state: &State, number: usize, steps: &mut Vec<Step>) {
        if state.server == Server::Up || state.failures > 0 {
            steps.push(Step::Answer(number));
        }
        if state.server == Server::Up && state.failures > 0 {
            steps.push(Step::Overload(number));
        }
        if state.drops > 0 {
            steps.push(Step::Drop(number));
        }
    }
}

impl State {
    /// Answers the request of the task `number` as Elasticsearch is now.
    fn answer(&mut self, number: usize) {
        let (signal, health) = match self.server {
            Server::Up => (Signal::Well, Health::Well),
            Server::Down => (Signal::Nothing, failure(Trouble::Connection)),
            Server::Blocked => (Signal::Nothing, Health::Blocked(block())),
        };
        match self.server {
            Server::Up => self.tasks[number].0 -= 1,
            Server::Down | Server::Blocked => self.failures -= 1,
        }
        self.end(number, signal, Some(health));
    }

    fn end(&mut self, number: usize, signal: Signal, health: Option<Health>) {
        if let Some(admitted) = self.tasks[number].1.take() {
            self.throttle.report(admitted, BYTES, signal, health, 0.0, self.now);
        }
    }

    /// Returns all that determines what happens next. The throttle holds floats, so it counts as its text.
    fn key(&self) -> impl PartialEq + Hash + use<> {
        let left = (self.breaks, self.failures, self.drops, self.is_leaky);
        (format!("{:?}", self.throttle), self.now, self.server, self.tasks.clone(), left)
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

fn failure(trouble: Trouble) -> Health {
    Health::Failed(BulkFailure { trouble, detail: String::new() })
}

fn block() -> Block {
    let (kind, error_type) = (BlockKind::Index, "cluster_block_exception".to_owned());
    Block { kind, index: None, status: 403, error_type, reason: String::new() }
}
