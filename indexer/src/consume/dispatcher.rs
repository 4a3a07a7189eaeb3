//! Dispatches batches and handles their reports, within the limits on what is in flight.

use std::time::{Duration, Instant};

use super::batch_limits::BatchLimits;
use super::books::Books;
use super::memory_budget::MemoryBudget;
use super::topic::Topic;
use crate::config::Config;
use crate::message::report::{SetAside, Settled};
use crate::settle::Ledger;
use crate::tasks::Tasks;

/// How long one poll waits while a full batch cannot be sent until another one settles.
pub(super) const REPORT_POLL: Duration = Duration::from_millis(5);

/// Sends batches within the limits of the config.
#[derive(Debug)]
pub(super) struct Dispatcher {
    budget: MemoryBudget,
    limits: BatchLimits,
}

impl Dispatcher {
    /// Creates the dispatcher of `config`, with nothing in flight.
    pub(super) fn new(config: &Config) -> Self {
        let max_bytes = usize::try_from(config.indexer.max_in_flight_bytes.as_u64()).unwrap_or(usize::MAX);
        let budget = MemoryBudget::new(max_bytes, config.indexer.max_in_flight_requests);
        Self { budget, limits: BatchLimits::of(config) }
    }

    /// Returns whether more records may be taken: the byte limit is not reached, and the current batch is not waiting
    /// to be sent. A body should have at most `target_bytes`.
    pub(super) fn has_room(&self, books: &Books, target_bytes: usize) -> bool {
        !self.limits.is_full(&books.builder, target_bytes) && self.budget.has_bytes(books.waiting_bytes())
    }

    /// Returns whether enough has settled to resume consuming after a pause.
    pub(super) fn has_drained(&self, books: &Books, target_bytes: usize) -> bool {
        !self.limits.is_full(&books.builder, target_bytes) && self.budget.has_drained(books.waiting_bytes())
    }

    /// Returns how long a poll may wait: at most `longest`, and not beyond the time at which the current batch is
    /// due.
    pub(super) fn poll_wait(&self, books: &Books, longest: Duration) -> Duration {
        match self.limits.left(&books.builder) {
            // A due batch that could not be sent waits for a report, and a poll does not return early for a report.
            Some(Duration::ZERO) => REPORT_POLL,
            left => left.map_or(longest, |left| left.min(longest)),
        }
    }

    /// Sends the current batch if it is full or old enough, and if another batch may be in flight.
    pub(super) fn send_if_due(&mut self, topic: &mut Topic, tasks: &Tasks, now: Instant) {
        let builder = &topic.partitions.books.builder;
        let is_due = self.limits.is_full(builder, tasks.target_bytes()) || self.limits.is_old(builder, now);
        if !builder.is_empty() && is_due && self.budget.has_batch() {
            self.send(topic, tasks, now);
        }
    }

    /// Sends the current batch.
    pub(super) fn send(&mut self, topic: &mut Topic, tasks: &Tasks, now: Instant) {
        if let Some(batch) = topic.partitions.dispatch(now) {
            self.budget.start(batch.held_bytes());
            topic.figures.dispatched(&batch);
            tasks.deliver(batch);
        }
    }

    /// Handles the report that a batch is settled.
    pub(super) fn settle(&mut self, settled: &Settled, ledger: &mut Ledger) {
        match settled.was_set_aside {
            true => self.budget.finish_set_aside(settled.held_bytes),
            false => self.budget.finish(settled.held_bytes),
        }
        ledger.settle(&settled.progress);
    }

    /// Handles the report that a batch is settled except for documents that were set aside.
    pub(super) fn set_aside(&mut self, set_aside: &SetAside, ledger: &mut Ledger) {
        self.budget.set_aside(set_aside.freed_bytes);
        ledger.set_aside(&set_aside.progress);
    }

    /// Returns how many bytes are held: in flight, in the current batch, or parked.
    pub(super) fn held_bytes(&self, books: &Books) -> usize {
        self.budget.bytes() + books.waiting_bytes()
    }

    /// Logs that consuming of `topic` pauses.
    pub(super) fn log_pause(&self, topic: &str) {
        tracing::info!(
            topic,
            held_bytes = self.budget.bytes(),
            batches = self.budget.batches(),
            "The limit of records in flight is reached: consuming pauses until half of them have settled."
        );
    }
}

#[cfg(test)]
mod tests;
