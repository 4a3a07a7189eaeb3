//! Sends a batch in rounds. In each, a request is permitted, built, sent and judged; the remaining documents go into
//! the next round. There is no last round.

use std::sync::Arc;

use super::aimd::Signal;
use super::delivered::Delivered;
use super::doubt::Cause;
use super::dropped::DroppedReport;
use super::landing::Landing;
use super::limiter::{self, Health, Limiter, Permit};
use super::outcome::{self, Judgement, Refusal, Trouble};
use super::post::{self, Post};
use super::progress::{Ending, Progress, Repair};
use super::retries::Retries;
use super::set_aside::{Alone, Control, MANY, Tally, UndecidedDocuments};
use super::traced::{self, BulkTraces};
use super::work::{self, Work};
use super::{ages, count};
use crate::batch::Batch;
use crate::index::{Index, Known};
use crate::metrics::Metrics;

/// Holds what the requests of a topic share.
#[derive(Debug)]
pub(super) struct Rounds {
    pub(super) index: Arc<Index>,
    pub(super) landing: Landing,
    pub(super) limiter: Arc<Limiter>,
    pub(super) post: Arc<Post>,
    pub(super) undecided: Arc<UndecidedDocuments>,
    pub(super) control: Control,
    pub(super) retries: Retries,
    pub(super) dropped: DroppedReport,
    pub(super) metrics: Metrics,
    /// Traces the requests; `None` if traces are off.
    pub(super) traces: Option<Arc<BulkTraces>>,
}

impl Rounds {
    /// Sends the items of `batch` until each is indexed, a duplicate, refused or set aside.
    pub(super) async fn deliver(&self, batch: &Batch) -> Delivered {
        let mut work = self.landing.begin(batch).await;
        self.run(&mut work, batch, None).await;
        count::log_refused(&self.metrics, batch, &work.delivered.refused);
        work.delivered
    }

    /// Sends what is left of `work`, request by request. `alone` is set for a document that was set aside.
    pub(super) async fn run(&self, work: &mut Work<'_>, batch: &Batch, mut alone: Option<&mut Alone>) {
        let mut failures: u32 = 0;
        while !work.is_done() {
            // A document that is retried alone takes no slot.
            let permit =
                if alone.is_some() { self.limiter.acquire_beside().await } else { self.limiter.acquire().await };
            self.landing.divert(work).await;
            let budget = self.post.fit(work, permit.budget());
            let progress = match work.take(budget) {
                Some(chunk) => {
                    let span = self.traces.as_ref().and_then(|traces| traces.begin(batch, &chunk));
                    let progress = self.send(permit, work, batch, chunk, alone.as_deref_mut()).await;
                    traced::end(span, &progress);
                    progress
                }
                None => self.look_up(permit, work, batch, alone.is_some()).await,
            };
            self.repair(&progress).await;
            self.dropped.report(&progress).await;
            if let (Some(alone), Ending::Parted { .. }) = (alone.as_deref(), &progress.ending) {
                self.control.ask_witness(&alone.attempt.index, &alone.attempt.cause).await;
            }
            failures = match (progress.counts.failed, progress.counts.settled()) {
                (0, _) => 0,
                (_, 0) => failures.saturating_add(1),
                (_, _) => 1,
            };
            if failures > 0 {
                self.retries.wait(failures).await;
            }
            if let Ending::Failed(index) = progress.ending
                && failures > 1
            {
                self.control.ask_witness(&index, &Cause::of_whole(Trouble::Connection)).await;
            }
        }
    }

    /// Sends one request and applies its outcome.
    async fn send(
        &self,
        permit: Permit<'_>,
        work: &mut Work<'_>,
        batch: &Batch,
        chunk: Vec<usize>,
        mut alone: Option<&mut Alone>,
    ) -> Progress {
        let evidence = &self.undecided.evidence;
        if let Some(alone) = &mut alone {
            alone.goes_to(&work.destinations.of(chunk[0]));
            alone.start(evidence);
        }
        let witness = alone.as_ref().and_then(|alone| alone.witness.as_ref());
        let (path, body) = post::address(work, batch, &chunk, witness);
        let (bytes, sent) = (body.len(), chunk.len() + usize::from(witness.is_some()));
        let mut judgement = outcome::judge_sent(self.post.send(&path, body).await, sent);
        let is_heard = alone.as_mut().is_some_and(|alone| alone.hear(evidence, &mut judgement));
        if let Some(ending) = alone.as_mut().and_then(|alone| alone.part(&judgement)) {
            work.queue.extend(chunk);
            let progress = Progress { ending, ..Progress::default() };
            count::request(&self.metrics, &progress, bytes);
            permit.report(bytes, Signal::Nothing, Health::Unclear);
            return progress;
        }
        self.landing.check(work, &judgement).await;
        let judgement = self.doubt_whole(work, &chunk, judgement);
        if let Judgement::Items(fates) = &judgement {
            ages::observe(&self.metrics.bulk.event_age, batch, &chunk, fates);
        }
        let progress = self.apply(work, batch, chunk, judgement, alone.is_some()).await;
        count::request(&self.metrics, &progress, bytes);
        let health = match alone {
            _ if is_heard && progress.blockage.lasting().is_none() => Health::Well,
            Some(alone) if alone.fails_again(&progress) && !permit.is_probe() => Health::Unclear,
            _ => progress.health(),
        };
        permit.report(bytes, progress.signal(), health);
        progress
    }

    /// Makes one look-up of stored documents and applies its outcome.
    async fn look_up(&self, permit: Permit<'_>, work: &mut Work<'_>, batch: &Batch, is_alone: bool) -> Progress {
        let mut progress = self.landing.read(work, batch, permit.budget().items).await;
        self.set_blocked_aside(work, is_alone, &mut progress);
        count::documents(&self.metrics, &progress.counts);
        permit.report(0, progress.signal(), progress.health());
        progress
    }

    /// Turns a doubtful answer to a whole request into a block, if its index is known to refuse all documents. If the
    /// request named several indices, later requests name only one.
    fn doubt_whole(&self, work: &Work<'_>, chunk: &[usize], judgement: Judgement) -> Judgement {
        let refusal = match &judgement {
            Judgement::Doubtful(refusal) => refusal.clone(),
            Judgement::TooLarge => Refusal::too_large(0),
            _ => return judgement,
        };
        let Some(index) = work.destinations.of_all(chunk) else {
            if judgement != Judgement::TooLarge {
                self.post.go_by_path();
            }
            return judgement;
        };
        match self.undecided.evidence.known_block(&index, &refusal) {
            Some(block) if chunk.len() > 1 => Judgement::Blocked(block),
            _ => judgement,
        }
    }

    /// Applies the outcome of `chunk`, and notes the evidence in it.
    async fn apply(
        &self,
        work: &mut Work<'_>,
        batch: &Batch,
        chunk: Vec<usize>,
        judgement: Judgement,
        is_alone: bool,
    ) -> Progress {
        let evidence = &self.undecided.evidence;
        let known = work.delivered.set_aside.len();
        let tallies = Tally::of(work, &chunk, &judgement);
        work.attempts.note_others(evidence.others(&work.destinations.of(chunk[0])));
        let mut progress = work::apply(work, chunk, judgement);
        if let Some(block) = evidence.weigh(work, batch, known, tallies) {
            progress.blockage.note(block, false);
            if !is_alone {
                UndecidedDocuments::keep(work, known, &mut progress);
            }
        }
        self.landing.place_again(work, batch, &mut progress).await;
        self.set_blocked_aside(work, is_alone, &mut progress);
        progress.blockage.name(self.index.name());
        progress
    }

    /// Sets the documents aside that an old index blocks, as long as others are accepted: a late document must not stop
    /// the others. A document that was set aside before waits alone in any case.
    fn set_blocked_aside(&self, work: &mut Work<'_>, is_alone: bool, progress: &mut Progress) {
        let evidence = &self.undecided.evidence;
        let is_apart = |index: &str| {
            !self.landing.is_current(index) && (is_alone || !evidence.doubts().is_alone(index, limiter::now()))
        };
        let block = work.set_blocked_aside(MANY, is_apart, progress);
        if let Some(block) = block.filter(|_| !is_alone) {
            self.undecided.open.log_blocked(progress.counts.set_aside, &block);
        }
    }

    /// Makes the repairs that `progress` asks for, before documents are sent again.
    async fn repair(&self, progress: &Progress) {
        for repair in &progress.repairs {
            match repair {
                Repair::Index => self.index.ensure(Known::Missing).await,
                Repair::Mapping => self.index.adopt_again().await,
            }
        }
    }
}
