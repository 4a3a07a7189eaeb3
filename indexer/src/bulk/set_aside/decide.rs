//! One document that was set aside: tried again and again, until it is accepted or known to be at fault.

use std::sync::Arc;
use std::time::Duration;

use super::{Alone, Lone, PATIENCE, UndecidedDocuments, shards};
use crate::backoff::Backoff;
use crate::batch::Batch;
use crate::bulk::doubt::Cause;
use crate::bulk::limiter::now;
use crate::bulk::work::{SetAside, Work};
use crate::bulk::{Bulk, Delivered, Refused};

/// The waits between attempts with one document.
const WAITS: Backoff = Backoff { initial: Duration::from_millis(250), max: Duration::from_secs(4) };

impl Bulk {
    /// Takes the document that `set_aside` speaks of out of `batch`, once there is room. Dropping what it gives leaves
    /// the document undecided.
    pub async fn single_out(&self, batch: &Batch, set_aside: &SetAside) -> Lone {
        self.undecided.single_out(batch, set_aside).await
    }

    /// Tries the document of `lone` until it is settled: accepted, or refused permanently since it is at fault. There
    /// is no last attempt. Dropping the future leaves it undecided, which loses nothing.
    pub async fn decide(&self, lone: &mut Lone) -> Delivered {
        let mut failures = 1;
        loop {
            let longest = WAITS.longest(failures);
            tokio::time::sleep(longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
            let (mut delivered, before) = self.attempt(lone).await;
            let Some(set_aside) = delivered.set_aside.pop() else {
                self.undecided.count("accepted");
                return delivered;
            };
            if lone.refuse(&set_aside, before) && !self.may_be_full(&set_aside).await {
                lone.log_verdict(&set_aside, true);
                self.undecided.count("document");
                return Delivered { refused: vec![lone.refused(set_aside)], ..Delivered::default() };
            }
            failures += 1;
        }
    }

    /// Returns whether it may be a full shard that refuses the document: others are accepted by the other shards.
    async fn may_be_full(&self, set_aside: &SetAside) -> bool {
        Cause::of(&set_aside.refusal).needs_writing() && shards::is_one_full(&self.client, &set_aside.index).await
    }

    /// One attempt. Returns what the index had accepted before it, too.
    async fn attempt(&self, lone: &Lone) -> (Delivered, u64) {
        let (index, cause) = (Arc::clone(lone.case.index()), lone.case.cause().clone());
        let _turn = self.undecided.turns[usize::from(cause.is_whole())].lock().await;
        let witness = match self.stream_dedup.is_some() || cause.is_whole() {
            true => {
                self.ask_witness(&index, &cause).await;
                None
            }
            false => self.witness(&index, &cause).await.unwrap_or_default(),
        };
        let mut alone = Alone { index, cause, witness, before: 0 };
        let mut work = Work::alone(&lone.batch, self.reroute.is_enabled()).proving(self.verify.is_some());
        self.run(&mut work, &lone.batch, Some(&mut alone)).await;
        (work.into_delivered(), alone.before)
    }
}

impl Lone {
    /// Notes that it was refused again. Returns whether it is at fault.
    fn refuse(&mut self, set_aside: &SetAside, before: u64) -> bool {
        self.attempts = self.attempts.saturating_add(set_aside.attempts);
        let cause = Cause::of(&set_aside.refusal);
        let is_at_fault = self.case.refuse(&set_aside.index, cause.clone(), before, &self.undecided.doubts(), now());
        if let Some(open) = self.undecided.lock_open().get_mut(&self.document) {
            open.since = self.case.first();
            open.index = Arc::clone(&set_aside.index);
            open.cause = cause;
        }
        self.undecided.measure();
        self.log_verdict(set_aside, false);
        is_at_fault
    }

    /// Logs the verdict, and once that there is none for long. The reason may quote the document, so it is for the dead
    /// letter alone.
    fn log_verdict(&mut self, set_aside: &SetAside, is_at_fault: bool) {
        let (partition, offset) = self.document;
        let undecided = now().saturating_duration_since(self.case.first());
        if !is_at_fault && (self.is_logged || undecided < PATIENCE) {
            return;
        }
        self.is_logged = true;
        tracing::warn!(
            topic = self.undecided.topic,
            partition = partition.0,
            offset = offset.0,
            index = &*set_aside.index,
            status = set_aside.refusal.status,
            error_type = set_aside.refusal.error_type,
            attempts = self.attempts,
            "{}",
            match is_at_fault {
                true =>
                    "Elasticsearch refuses a document repeatedly and accepts others meanwhile; the document goes to \
                     the dead-letter topic.",
                false =>
                    "Elasticsearch refuses a document, and no other shows whether it or the index is at fault; the \
                     document waits, and its partition's offset with it.",
            }
        );
    }

    fn refused(&self, set_aside: SetAside) -> Refused {
        let refusal = set_aside.refusal;
        Refused {
            item: 0,
            status: refusal.status,
            error_type: refusal.error_type,
            reason: refusal.reason,
            attempts: self.attempts,
        }
    }
}

impl UndecidedDocuments {
    fn count(&self, outcome: &str) {
        self.metrics.doubts_decided.with_label_values(&[self.topic.as_str(), outcome]).inc();
    }
}
