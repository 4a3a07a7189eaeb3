//! Tests P5 as a property: faulty documents, temporarily faulty indices and transient failures, in any mixture,
//! against the judging core and a simulated Elasticsearch. A step is a tenth of a second.

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::bulk::work::whole::{Others, Whole};

const STEP: Duration = Duration::from_millis(100);
const INDICES: usize = 3;
/// The step at which all documents under test have arrived.
const ARRIVALS: usize = 300;
/// The step at which the last index has been repaired.
const REPAIRED: usize = 600;
/// How many steps later everything must be settled.
const SETTLED: usize = 3_000;
/// How many steps lie between two batches, each with one document per index.
const EVERY: usize = 5;
/// The longest wait of a good document while no index is at fault: two probes, and the documents queued before it.
/// One document that was set aside is tried per step.
const WAIT: usize = 2 * PAUSE + INDICES * REPAIRED / EVERY;
/// The number of batches sent in one step.
const SLOTS: usize = 4;
/// The longest pause between two attempts with a document, and between two probes.
const PAUSE: usize = 40;
/// After this many failures of whole requests in a row, each request holds one document.
const FAILURES: u32 = 8;
/// The last two fail the whole request and occur only as faults of documents.
const CAUSES: [(u16, &str); 5] = [
    (500, "fail_processor_exception"),
    (400, "illegal_argument_exception"),
    (403, "odd_exception"),
    (0, "timed_out"),
    (0, "connection"),
];
const OF_INDICES: usize = 3;

#[derive(Clone, Debug)]
struct Event {
    number: i64,
    index: usize,
    arrival: usize,
    /// How the document is refused, if it is at fault.
    fault: Option<usize>,
}

/// A time during which an index refuses everything, and how.
#[derive(Clone, Debug)]
struct Fault {
    index: usize,
    from: usize,
    until: usize,
    cause: usize,
}

#[derive(Clone, Debug)]
struct World {
    events: Vec<Event>,
    faults: Vec<Fault>,
    /// The times during which every request fails as a whole.
    outages: Vec<(usize, usize)>,
    seed: u64,
    /// Whether accepted documents can serve as witnesses.
    has_witness: bool,
}

enum WorldAnswer {
    Accepted,
    Again,
    Refused(Cause),
}

impl World {
    /// Returns how a request of `events` fails as a whole, if it does.
    fn fails<'a>(&self, events: impl IntoIterator<Item = &'a Event>, step: usize) -> Option<Cause> {
        let is_out = self.outages.iter().any(|(from, until)| (*from..*until).contains(&step));
        let mut hash = DefaultHasher::new();
        (step, self.seed).hash(&mut hash);
        let at_fault = |event: &Event| event.fault.filter(|fault| CAUSES[*fault].0 == 0);
        let number = match is_out || hash.finish().is_multiple_of(16) {
            true => Some(CAUSES.len() - 1),
            false => events.into_iter().find_map(at_fault),
        };
        number.map(|number| cause(CAUSES[number].0, CAUSES[number].1))
    }

    fn answer(&self, event: &Event, step: usize) -> WorldAnswer {
        let mut hash = DefaultHasher::new();
        (event.number, step, self.seed).hash(&mut hash);
        if hash.finish().is_multiple_of(8) {
            return WorldAnswer::Again;
        }
        let of_index = self.faults.iter().find(|fault| fault.index == event.index && fault.covers(step));
        match of_index.map(|fault| fault.cause).or(event.fault) {
            Some(number) => WorldAnswer::Refused(cause(CAUSES[number].0, CAUSES[number].1)),
            None => WorldAnswer::Accepted,
        }
    }

    fn is_well(&self, from: usize, until: usize) -> bool {
        let mut bad = self.faults.iter().map(|fault| (fault.from, fault.until)).chain(self.outages.iter().copied());
        bad.all(|(bad, fixed)| fixed <= from || bad > until)
    }
}

impl Fault {
    fn covers(&self, step: usize) -> bool {
        (self.from..self.until).contains(&step)
    }
}

/// A document that was set aside.
struct SetAside {
    event: Event,
    case: Case,
    next: usize,
    failures: u32,
}

/// A batch and the items that are left of it, in the order of sending.
struct Batch {
    events: Vec<Event>,
    left: VecDeque<usize>,
    whole: Whole,
}

/// Simulates the decisions of the indexer: batches in turn, documents that were set aside one at a time, and probes
/// while it is blocked.
struct Indexer<'a> {
    world: &'a World,
    start: Instant,
    names: Vec<Arc<str>>,
    doubts: Doubts,
    witnesses: [Option<Event>; INDICES],
    batches: VecDeque<Batch>,
    /// Requests in which a document was accepted, and whole requests that failed in a row.
    accepted: u64,
    failures: u32,
    set_aside: Vec<SetAside>,
    /// While it is blocked: the step of the next probe, and the number of probes so far.
    blocked: Option<(usize, u32)>,
    /// Whether the last witness was accepted again.
    has_heard: bool,
    settled: Vec<(Event, usize)>,
    dead: Vec<Event>,
}

impl<'a> Indexer<'a> {
    fn new(world: &'a World) -> Self {
        Self {
            world,
            start: Instant::now(),
            names: (0..INDICES).map(|number| Arc::from(format!("events-{number}"))).collect(),
            doubts: Doubts::default(),
            witnesses: [const { None }; INDICES],
            batches: VecDeque::new(),
            accepted: 0,
            failures: 0,
            set_aside: Vec::new(),
            blocked: None,
            has_heard: false,
            settled: Vec::new(),
            dead: Vec::new(),
        }
    }

    fn step(&mut self, step: usize) {
        let others = (0..INDICES).filter(|_| step.is_multiple_of(EVERY));
        let other = |index| Event { number: -(step as i64 * 10) - index as i64, index, arrival: step, fault: None };
        let arrived = self.world.events.iter().filter(|event| event.arrival == step).cloned();
        let batch: Vec<Event> = others.map(other).chain(arrived).collect();
        if !batch.is_empty() {
            let left = (0..batch.len()).collect();
            self.batches.push_back(Batch { events: batch, left, whole: Whole::default() });
        }
        match self.blocked {
            Some((next, _)) if step < next => {}
            Some((_, probes)) => {
                let settled = self.settled.len();
                self.has_heard = false;
                // Probes alternate between batches and documents that were set aside.
                if probes.is_multiple_of(2) {
                    let left = self.send_batch(step);
                    self.batches.extend(left);
                } else {
                    self.send_set_aside(step);
                }
                let is_over = self.settled.len() > settled || self.has_heard;
                self.blocked = (!is_over).then_some((step + PAUSE.min(5 << probes.min(3)), probes + 1));
            }
            None => {
                let mut left: Vec<Batch> = (0..SLOTS).filter_map(|_| self.send_batch(step)).collect();
                while let Some(batch) = left.pop() {
                    self.batches.push_front(batch);
                }
                self.send_set_aside(step);
            }
        }
    }

    fn at(&self, step: usize) -> Instant {
        self.start + STEP * step as u32
    }

    /// Sends the next batch. Returns what is left of it.
    fn send_batch(&mut self, step: usize) -> Option<Batch> {
        let mut batch = self.batches.pop_front()?;
        let now = self.at(step);
        let most = if self.failures >= FAILURES { 1 } else { usize::MAX };
        let share = batch.whole.share(batch.left.make_contiguous()).min(most);
        let chunk: Vec<usize> = batch.left.drain(..share).collect();
        if let Some(cause) = self.world.fails(chunk.iter().map(|item| &batch.events[*item]), step) {
            self.fail_batch(&mut batch, chunk, cause, step);
            return (!batch.left.is_empty()).then_some(batch);
        }
        let mut refused = Vec::new();
        let mut written = [0; INDICES];
        for item in chunk {
            let event = batch.events[item].clone();
            match self.world.answer(&event, step) {
                WorldAnswer::Again => batch.left.push_back(item),
                WorldAnswer::Refused(cause) => refused.push((event, cause)),
                WorldAnswer::Accepted => {
                    written[event.index] += 1;
                    self.note_accepted(event, step);
                }
            }
        }
        self.note_answered(written.iter().any(|written| *written > 0));
        for (event, cause) in &refused {
            self.doubts.refuse(&self.names[event.index], cause, document(event.number));
        }
        for (index, written) in written.into_iter().enumerate() {
            self.doubts.accept(&self.names[index], written, 0, now);
        }
        for (event, cause) in refused {
            self.block_if_blamed(&event, &cause, step);
            let index = Arc::clone(&self.names[event.index]);
            let case = Case::new(index, cause, &self.doubts, now);
            self.set_aside.push(SetAside { event, case, next: step + 2, failures: 1 });
        }
        (!batch.left.is_empty()).then_some(batch)
    }

    /// Handles a request of `chunk` that failed as a whole.
    fn fail_batch(&mut self, batch: &mut Batch, chunk: Vec<usize>, cause: Cause, step: usize) {
        self.failures += 1;
        let event = batch.events[chunk[0]].clone();
        let others = Others { accepted: self.accepted, has_witness: self.witnesses[event.index].is_some() };
        if batch.whole.fail(&chunk, others) {
            let index = Arc::clone(&self.names[event.index]);
            let case = Case::new(index, cause, &self.doubts, self.at(step));
            return self.set_aside.push(SetAside { event, case, next: step + 2, failures: 1 });
        }
        self.ask_witness(event.index, &cause, step);
        batch.left.extend(chunk);
    }

    fn note_answered(&mut self, is_accepted: bool) {
        self.accepted += u64::from(is_accepted);
        self.failures = 0;
    }

    /// Makes one attempt with the document whose turn it is.
    fn send_set_aside(&mut self, step: usize) {
        let due = |(_, set_aside): &(usize, &SetAside)| set_aside.next <= step || self.blocked.is_some();
        let Some(number) = self
            .set_aside
            .iter()
            .enumerate()
            .filter(due)
            .min_by_key(|(_, set_aside)| set_aside.next)
            .map(|(number, _)| number)
        else {
            return;
        };
        let mut set_aside = self.set_aside.swap_remove(number);
        let name = Arc::clone(&self.names[set_aside.event.index]);
        let now = self.at(step);
        self.ask_witness(set_aside.event.index, set_aside.case.cause(), step);
        let before = self.doubts.accepted_by(&name, set_aside.case.cause());
        let answer = match self.world.fails([&set_aside.event], step) {
            Some(cause) => WorldAnswer::Refused(cause),
            None => self.world.answer(&set_aside.event, step),
        };
        match answer {
            WorldAnswer::Accepted => {
                self.doubts.accept(&name, 1, 0, now);
                self.doubts.forget(&name, document(set_aside.event.number));
                return self.note_accepted(set_aside.event, step);
            }
            WorldAnswer::Again => set_aside.next = step + 2,
            WorldAnswer::Refused(cause) => {
                self.doubts.refuse(&name, &cause, document(set_aside.event.number));
                if set_aside.case.refuse(&name, cause.clone(), before, &self.doubts, now) {
                    self.doubts.forget(&name, document(set_aside.event.number));
                    return self.dead.push(set_aside.event);
                }
                self.block_if_blamed(&set_aside.event, &cause, step);
                set_aside.failures += 1;
                set_aside.next = step + PAUSE.min(1 << set_aside.failures.min(6));
            }
        }
        self.set_aside.push(set_aside);
    }

    fn ask_witness(&mut self, index: usize, cause: &Cause, step: usize) {
        self.has_heard = false;
        let Some(witness) = &self.witnesses[index] else { return };
        if cause.needs_writing() || self.world.fails([], step).is_some() {
            return;
        }
        let name = &self.names[index];
        match self.world.answer(witness, step) {
            WorldAnswer::Accepted => {
                self.has_heard = true;
                self.accepted += 1;
                self.failures = 0;
                self.doubts.accept(name, 0, 1, self.start + STEP * step as u32);
            }
            WorldAnswer::Refused(cause) => self.doubts.refuse_witness(name, &cause),
            WorldAnswer::Again => {}
        }
    }

    fn block_if_blamed(&mut self, event: &Event, cause: &Cause, step: usize) {
        let name = &self.names[event.index];
        if self.blocked.is_none() && self.doubts.blames(name, cause) && self.doubts.is_alone(name, self.at(step)) {
            self.blocked = Some((step + 5, 0));
        }
    }

    fn note_accepted(&mut self, event: Event, step: usize) {
        if self.world.has_witness && self.witnesses[event.index].is_none() {
            self.doubts.set_witness(&self.names[event.index], true);
            self.witnesses[event.index] = Some(event.clone());
        }
        self.settled.push((event, step));
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let event = (0..INDICES, 0..ARRIVALS, prop::option::weighted(0.4, 0..CAUSES.len()));
    let fault = (0..INDICES, 0..REPAIRED, 1..REPAIRED, 0..OF_INDICES);
    let outage = (0..REPAIRED, 1..REPAIRED);
    (vec(event, 0..60), vec(fault, 0..4), vec(outage, 0..3), any::<u64>(), any::<bool>()).prop_map(
        |(events, faults, outages, seed, has_witness)| World {
            events: (1..)
                .zip(events)
                .map(|(number, (index, arrival, fault))| Event { number, index, arrival, fault })
                .collect(),
            faults: faults
                .into_iter()
                .map(|(index, from, long, cause)| Fault { index, from, until: REPAIRED.min(from + long), cause })
                .collect(),
            outages: outages.into_iter().map(|(from, long)| (from, REPAIRED.min(from + long))).collect(),
            seed,
            has_witness,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn good_documents_survive_and_bad_ones_do_not_delay_them(world in worlds()) {
        let mut indexer = Indexer::new(&world);
        for step in 0..REPAIRED + SETTLED {
            indexer.step(step);
        }
        for event in &indexer.dead {
            prop_assert!(event.fault.is_some(), "a good document became a dead letter: {event:?}");
        }
        for (event, step) in &indexer.settled {
            prop_assert!(event.fault.is_none(), "a bad document was accepted: {event:?}");
            let is_late = step - event.arrival > WAIT && world.is_well(event.arrival, *step);
            prop_assert!(!is_late, "a good document waited from {} to {step}: {event:?}", event.arrival);
        }
        let bad = world.events.iter().filter(|event| event.fault.is_some()).count();
        let good = indexer.settled.iter().filter(|(event, _)| event.number > 0).count();
        prop_assert_eq!((indexer.dead.len(), good), (bad, world.events.len() - bad), "all is settled");
    }
}
