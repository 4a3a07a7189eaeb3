//! Takes records from the client and decodes them into the current batch, or parks them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use avro::Schema;
use rdkafka::error::{KafkaError, KafkaResult};
use registry::RegistryError;
use registry::wire::SchemaId;

use super::dispatcher::Dispatcher;
use super::interval::Interval;
use super::need::Need;
use super::partitions::Taken;
use super::topic::{Topic, numbers};
use super::waiting::Waiting;
use crate::decode::{Decoder, Missing};
use crate::message::record::Record;
use crate::message::target::Route;
use crate::tasks::Tasks;

/// Takes records.
pub(super) struct Intake {
    decoder: Decoder,
    /// A buffer for the headers of the current record.
    headers: Vec<u8>,
    waiting: Waiting,
    /// When missing schemas are requested again.
    forgetting: Interval,
    /// When the schema in use is compared with the registry's.
    checking: Interval,
    /// How often all schemas had been forgotten when the decoder forgot its own.
    forgotten: u64,
}

impl Intake {
    /// Creates an intake that uses `decoder`. At the interval `forgetting`, the decoder forgets missing schemas; at the
    /// interval `checking`, the schema in use is compared with the registry's.
    pub(super) fn new(decoder: Decoder, waiting: Waiting, forgetting: Interval, checking: Interval) -> Self {
        Self { decoder, headers: Vec::new(), waiting, forgetting, checking, forgotten: 0 }
    }

    /// Takes up to `most` records from the client while `dispatcher` has room. While everything is paused, only the
    /// client's events are handled.
    ///
    /// Only the first poll waits, up to `wait`; later records must already be there. So a turn takes only as long as
    /// the decoding, however slowly records arrive, and the age of the batch is checked between any two waits.
    ///
    /// # Errors
    /// If the client cannot continue.
    pub(super) fn take(
        &mut self,
        most: usize,
        mut wait: Duration,
        topic: &mut Topic,
        dispatcher: &Dispatcher,
        tasks: &Tasks,
    ) -> KafkaResult<()> {
        let mut taken = 0;
        while taken < most {
            match topic.subscription.poll(wait) {
                None => {
                    topic.partitions.logs.stalls.note_dry(Instant::now());
                    break;
                }
                Some(Ok(message)) => {
                    let record = Record::of(&message, &mut self.headers);
                    match topic.partitions.take(&record, &mut |record, batch| self.decoder.decode(record, batch)) {
                        Taken::Beyond => topic.pause_closed(record.partition),
                        Taken::Settled => continue,
                        Taken::OtherLog => break,
                        Taken::Record(None) => taken += 1,
                        Taken::Record(Some(waits)) => {
                            taken += 1;
                            self.waiting.begin(&waits, topic, tasks);
                        }
                    }
                }
                Some(Err(error @ (KafkaError::MessageConsumptionFatal(_) | KafkaError::ClientCreation(_)))) => {
                    return Err(error);
                }
                Some(Err(error)) => {
                    topic.subscription.note_error(&error);
                    tracing::warn!(%error, topic = topic.name(), "Cannot read from Kafka; the client tries again.");
                }
            }
            wait = Duration::ZERO;
            if !topic.subscription.is_paused() && !dispatcher.has_room(&topic.partitions.books, tasks.target_bytes()) {
                break;
            }
        }
        topic.partitions.books.builder.open_with(Instant::now);
        leave_other_logs(topic);
        topic.partitions.reading.spend(taken);
        topic.figures.consumed(taken);
        Ok(())
    }

    /// Handles the registry's answer for `id`: the schema, or that it does not exist.
    pub(super) fn take_schema(
        &mut self,
        id: SchemaId,
        answer: Result<Arc<Schema>, RegistryError>,
        topic: &mut Topic,
        tasks: &Tasks,
    ) {
        match answer {
            Ok(schema) => self.decoder.note_schema(id, schema),
            Err(error) => self.decoder.note_missing(id, Missing::of(&error)),
        }
        self.release(Need::Schema(id), topic, tasks);
        self.waiting.end(&topic.partitions.books.parked);
    }

    /// Handles the report that the table of backing indices of `route` can place records of the placement time `time`,
    /// or that `time` is too far ahead. Takes the records that waited for this.
    pub(super) fn take_table(&mut self, route: Route, time: i64, topic: &mut Topic, tasks: &Tasks) {
        self.release(Need::Table(route, time), topic, tasks);
    }

    /// Lets the decoder request missing schemas again, if that is due, or all schemas, if the registry has given one of
    /// their ids to another schema. Only an answer of the registry shows that, so it is asked if that is due.
    pub(super) fn renew(&mut self, now: Instant, tasks: &Tasks) {
        if self.forgetting.begin(now) {
            self.decoder.forget_missing();
        }
        let forgotten = tasks.forgotten_schemas();
        if std::mem::replace(&mut self.forgotten, forgotten) != forgotten {
            self.decoder.forget_schemas();
        }
        if self.checking.begin(now)
            && let Some(id) = self.decoder.last_schema()
        {
            tasks.check_schema(id);
        }
    }

    /// Takes the records that waited for `need`, which is available now.
    fn release(&mut self, need: Need, topic: &mut Topic, tasks: &Tasks) {
        for (partition, records) in topic.partitions.books.parked.release(need) {
            let books = &mut topic.partitions.books;
            let again = books.take_again(&records, &mut |record, batch| self.decoder.decode(record, batch));
            for waits in again {
                self.waiting.begin(&waits, topic, tasks);
            }
            topic.resume_free(partition);
        }
    }
}

/// Goes back to the beginning of each partition whose log differs from the one that was committed.
fn leave_other_logs(topic: &mut Topic) {
    let others = topic.partitions.logs.marks.others();
    if others.is_empty() {
        return;
    }
    tracing::error!(
        topic = topic.name(),
        partitions = numbers(&others),
        "The record before the committed offset is not the one that was indexed: the log was truncated (an unclean \
         leader election) or restored, and has grown since. The partitions are read from their beginning; documents \
         that exist are not written twice."
    );
    topic.rewind(&others, "replaced");
}
