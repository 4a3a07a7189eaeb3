//! The flow through the thread: records come in, batches go out, and reports come back, within the memory limit.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use kafka::position::Partition;
use rdkafka::error::KafkaResult;
use tokio_util::sync::CancellationToken;

use super::committer::Committer;
use super::dispatcher::{Dispatcher, REPORT_POLL};
use super::intake::Intake;
use super::survey::SURVEY_TIMEOUT;
use super::surveyor::Surveyor;
use super::topic::Topic;
use crate::message::report::Report;
use crate::tasks::Tasks;

/// How long one poll waits for a record. This is the longest delay of reports and rebalances.
const POLL: Duration = Duration::from_millis(50);
/// The most records taken before the thread checks the clock and its reports again.
const RECORDS_PER_TURN: usize = 256;
/// How long the thread waits for room before it pauses its partitions. A pause discards what the client has
/// prefetched, so it is meant for outages, not for moments in which Kafka is faster than Elasticsearch.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long to wait, after the drain, for the result of a commit.
const COMMIT_PATIENCE: Duration = Duration::from_secs(5);

/// Holds the topic and the parts that move its records.
pub(super) struct Flow {
    pub(super) topic: Topic,
    pub(super) intake: Intake,
    pub(super) dispatcher: Dispatcher,
    pub(super) committer: Committer,
    pub(super) surveyor: Surveyor,
    pub(super) tasks: Tasks,
    pub(super) reports: Receiver<Report>,
}

impl Flow {
    /// Takes the records of one turn, as far as the rate allows.
    ///
    /// # Errors
    /// If the client cannot continue.
    pub(super) fn take_records(&mut self) -> KafkaResult<()> {
        let partitions = &mut self.topic.partitions;
        let most = partitions.reading.allowance(RECORDS_PER_TURN, Instant::now());
        if most == 0 {
            // With a limited rate the thread waits here instead of in a poll.
            self.take_reports(REPORT_POLL);
            return Ok(());
        }
        let wait = self.dispatcher.poll_wait(&partitions.books, POLL);
        self.intake.take(most, wait, &mut self.topic, &self.dispatcher, &self.tasks)
    }

    /// Handles the tasks' reports. Waits up to `wait` for the first report.
    pub(super) fn take_reports(&mut self, wait: Duration) {
        let mut next = if wait.is_zero() { self.reports.try_recv().ok() } else { self.reports.recv_timeout(wait).ok() };
        while let Some(report) = next {
            self.take_report(report);
            next = self.reports.try_recv().ok();
        }
    }

    /// Sends the current batch if it is due.
    pub(super) fn send_if_due(&mut self, now: Instant) {
        self.dispatcher.send_if_due(&mut self.topic, &self.tasks, now);
    }

    /// Waits for room if there is none, and pauses consuming if that takes long. Resumes it when enough has settled.
    pub(super) fn make_room(&mut self, shutdown: &CancellationToken) {
        if !self.topic.subscription.is_paused() && !self.has_room() {
            self.wait_for_room(shutdown);
        }
        let (books, target_bytes) = (&self.topic.partitions.books, self.tasks.target_bytes());
        if self.topic.subscription.is_paused()
            && self.dispatcher.has_drained(books, target_bytes)
            && self.topic.resume()
        {
            tracing::info!(topic = self.topic.name(), "Consuming resumes.");
        }
    }

    /// Starts to commit settled offsets, and updates the metrics.
    pub(super) fn commit(&mut self) {
        self.topic.pass_what_is_no_record();
        self.committer.begin(&mut self.topic, &self.tasks);
        self.topic.measure(self.dispatcher.held_bytes(&self.topic.partitions.books));
    }

    /// Starts the periodic requests for schemas and for the state of the log.
    pub(super) fn renew(&mut self, now: Instant) {
        self.intake.renew(now, &self.tasks);
        self.surveyor.begin(&mut self.topic, &self.tasks, now);
    }

    /// Waits up to `timeout` until everything consumed of `partitions` is settled, and commits what is.
    pub(super) fn drain(&mut self, partitions: &[Partition], timeout: Duration) {
        if !self.topic.partitions.books.builder.is_empty() {
            self.dispatcher.send(&mut self.topic, &self.tasks, Instant::now());
        }
        let until = Instant::now() + timeout;
        while self.topic.partitions.books.ledger.is_open(partitions) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!(
                    topic = self.topic.name(),
                    drain_timeout_ms = timeout.as_millis(),
                    "Not all records settled in time; the partitions' next owner reads the others again."
                );
                break;
            }
            self.take_reports(left.min(POLL));
        }
        // An earlier commit must not arrive after this one: the offset would go back, possibly in another member's
        // partition.
        while self.committer.is_committing() && Instant::now() < until + COMMIT_PATIENCE {
            self.take_reports(POLL);
        }
        self.committer.commit_now(&mut self.topic);
    }

    /// Ends the tasks and closes the client, which happens when its last holder drops it. Ignores reports that arrive
    /// after this.
    pub(super) fn close(&mut self) {
        self.tasks.stop();
        self.topic.subscription.close();
        let until = Instant::now() + SURVEY_TIMEOUT * 4;
        while self.topic.subscription.is_shared() && Instant::now() < until {
            self.reports.recv_timeout(POLL).ok();
        }
    }

    fn take_report(&mut self, report: Report) {
        let (topic, tasks) = (&mut self.topic, &self.tasks);
        match report {
            Report::SetAside(set_aside) => self.dispatcher.set_aside(&set_aside, &mut topic.partitions.books.ledger),
            Report::Settled(settled) => self.dispatcher.settle(&settled, &mut topic.partitions.books.ledger),
            Report::Schema(id, answer) => self.intake.take_schema(id, answer, topic, tasks),
            Report::Table(route, time) => self.intake.take_table(route, time, topic, tasks),
            Report::Survey(survey) => self.surveyor.take(&survey, topic),
            Report::Committed(offsets, outcome) => self.committer.end(&offsets, outcome, topic),
        }
    }

    fn has_room(&self) -> bool {
        self.dispatcher.has_room(&self.topic.partitions.books, self.tasks.target_bytes())
    }

    fn wait_for_room(&mut self, shutdown: &CancellationToken) {
        let until = Instant::now() + PATIENCE;
        while !shutdown.is_cancelled() {
            self.take_reports(POLL);
            let now = Instant::now();
            self.send_if_due(now);
            if self.has_room() {
                return;
            }
            if now >= until {
                if self.topic.pause() {
                    self.dispatcher.log_pause(self.topic.name());
                }
                return;
            }
        }
    }
}
