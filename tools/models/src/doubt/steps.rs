//! Carries out the steps.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use indexer::bulk::doubt::{self, Attempt, Case, Cause, Document};
use indexer::bulk::outcome::{self, Judgement, Trouble};
use kafka::position::{Offset, Partition};

use super::{Doubt, Fault, INDEX, Manner, State, Step, Way};
use crate::Broken;

static NOW: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Long enough after the first refusal for every verdict.
const LATER: Duration = Duration::from_secs(86_400);

/// How far a document is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    /// It has not been sent, or got no answer.
    Unsent,
    /// It was refused, and is set aside.
    Undecided(Case),
    Indexed,
    /// It is a dead letter.
    Dead,
}

/// What Elasticsearch makes of a request.
enum Answer {
    /// The outcomes of the witness and of the document.
    Fates(outcome::Fate, outcome::Fate),
    Nothing,
}

/// Carries out the steps of a model.
pub(super) struct Steps<'m>(pub(super) &'m Doubt);

impl Steps<'_> {
    /// Carries out `step`, which is possible in `state`.
    pub(super) fn carry_out(&self, state: &mut State, step: Step) {
        match step {
            Step::Break(fault) => {
                state.breaks -= 1;
                state.fault = Some(fault);
            }
            Step::Heal => state.fault = None,
            Step::Other => {
                state.others -= 1;
                state.accept();
            }
            Step::Send(number, way) => {
                state.flaws -= u8::from(way == Way::Flaw);
                match state.documents[number].clone() {
                    Fate::Unsent => self.send(state, number, way),
                    Fate::Undecided(case) => self.attempt(state, number, case, way),
                    Fate::Indexed | Fate::Dead => {}
                }
            }
        }
    }

    /// Sends the document `number` for the first time.
    fn send(&self, state: &mut State, number: usize, way: Way) {
        let Answer::Fates(_, fate) = self.answer(state, number, way) else { return };
        match doubt::cause_of(&fate) {
            None => {
                state.accept();
                state.documents[number] = Fate::Indexed;
            }
            Some(cause) => {
                state.refuse(number, &cause);
                let case = Case::new(Arc::clone(&INDEX), cause, &state.doubts, *NOW);
                state.documents[number] = Fate::Undecided(case);
            }
        }
    }

    /// Sends the document `number` again, alone, as `decide` does.
    fn attempt(&self, state: &mut State, number: usize, mut case: Case, way: Way) {
        let mut attempt = Attempt::new(Arc::clone(case.index()), case.cause().clone());
        let is_beside = state.has_witness && !case.cause().needs_writing() && !case.cause().is_whole();
        let answer = self.answer(state, number, way);
        if state.has_witness
            && case.cause().is_whole()
            && let Answer::Fates(witness, _) = &answer
        {
            // In a request of its own, before the document.
            doubt::hear(&mut state.doubts, &INDEX, witness, *NOW);
        }
        attempt.start(&state.doubts);
        let cause = match &answer {
            Answer::Nothing => Some(Cause::of_whole(Trouble::Connection)),
            Answer::Fates(witness, fate) => {
                if is_beside && self.hear(state, &mut attempt, witness, fate) {
                    state.is_blocked = false;
                }
                doubt::cause_of(fate)
            }
        };
        let Some(cause) = cause else {
            state.accept();
            return state.decide(number, Fate::Indexed);
        };
        state.refuse(number, &cause);
        let before = if self.0.is(Broken::RefusalIsProof) { u64::MAX } else { attempt.before };
        let later = case.first() + LATER;
        let is_at_fault = case.refuse(&INDEX, cause, before, &state.doubts, later);
        let may_be_full = self.may_be_full(state, &case);
        if is_at_fault && !may_be_full {
            return state.decide(number, Fate::Dead);
        }
        if may_be_full && !self.0.is(Broken::FullShardIsEvidence) {
            case.excuse();
        }
        state.documents[number] = Fate::Undecided(case);
    }

    fn hear(&self, state: &mut State, attempt: &mut Attempt, witness: &outcome::Fate, fate: &outcome::Fate) -> bool {
        let before = attempt.before;
        let is_accepted = attempt.hear(&mut state.doubts, witness, Some(fate), *NOW);
        if !is_accepted && self.0.is(Broken::WitnessIsIgnored) {
            attempt.before = before;
        }
        is_accepted
    }

    /// Returns whether a full shard may have refused the document of `case`, as Elasticsearch's statistics say.
    fn may_be_full(&self, state: &State, case: &Case) -> bool {
        let is_full = state.fault == Some(Fault::FullShard) && !self.0.is(Broken::FullShardIsNotAsked);
        case.cause().needs_writing() && is_full
    }

    /// Returns the answer to a request with a witness and the document `number`.
    fn answer(&self, state: &State, number: usize, way: Way) -> Answer {
        let refused = || match self.0.manner {
            Manner::Unknown => fate(400, "illegal_state_exception"),
            Manner::LikeFullShard => fate(400, "illegal_argument_exception"),
            Manner::Server => fate(500, "fail_processor_exception"),
        };
        let present = fate(409, "version_conflict_engine_exception");
        let is_good = self.0.documents[number] && way != Way::Flaw;
        match state.fault {
            Some(Fault::Outage) => Answer::Nothing,
            Some(Fault::Index) => Answer::Fates(refused(), refused()),
            Some(Fault::Node) if way == Way::BadNode => Answer::Fates(refused(), refused()),
            Some(Fault::FullShard) => Answer::Fates(present, refused()),
            Some(Fault::Node) | None if is_good => Answer::Fates(present, fate(201, "")),
            Some(Fault::Node) | None => Answer::Fates(present, refused()),
        }
    }
}

impl State {
    /// Notes that the index has written a document, which is its witness from now on.
    fn accept(&mut self) {
        self.doubts.accept(&INDEX, 1, 0, *NOW);
        self.doubts.set_witness(&INDEX, true);
        self.has_witness = true;
        self.is_blocked = false;
    }

    /// Notes that the index has refused the document `number`. There is no other index that accepts documents, so one
    /// at fault blocks the topic.
    fn refuse(&mut self, number: usize, cause: &Cause) {
        self.doubts.refuse(&INDEX, cause, document(number));
        self.is_blocked |= self.doubts.blames(&INDEX, cause);
    }

    fn decide(&mut self, number: usize, fate: Fate) {
        self.documents[number] = fate;
        self.doubts.forget(&INDEX, document(number));
    }
}

fn document(number: usize) -> Document {
    (Partition(0), Offset(i64::try_from(number).unwrap_or(i64::MAX)))
}

/// Returns what the indexer makes of an answer with one item of `status` and the error type `name`.
fn fate(status: u16, name: &str) -> outcome::Fate {
    let error = if name.is_empty() { String::new() } else { format!(r#","error":{{"type":"{name}","reason":"r"}}"#) };
    let body = format!(r#"{{"items":[{{"create":{{"status":{status}{error}}}}}]}}"#);
    match outcome::judge(200, body.as_bytes(), 1) {
        Judgement::Items(mut fates) => fates.pop().unwrap_or(outcome::Fate::Dropped),
        _ => outcome::Fate::Dropped,
    }
}
