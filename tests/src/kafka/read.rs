//! Reads all records of a topic.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc::Sender;

use super::{Record, TIMEOUT, end_offsets};

/// Sends the records that `topic` has now to `records`.
pub(super) fn read_all(consumer: &BaseConsumer, topic: &str, records: &Sender<Record>) -> anyhow::Result<()> {
    let ends = end_offsets(consumer, topic)?;
    // Counting would not work: where transactions end, offsets have no record.
    let mut open: BTreeSet<i32> = ends.iter().filter(|(_, end)| **end > 0).map(|(partition, _)| *partition).collect();
    let mut from_the_start = TopicPartitionList::new();
    for partition in ends.keys() {
        from_the_start.add_partition_offset(topic, *partition, Offset::Beginning)?;
    }
    consumer.assign(&from_the_start)?;
    let mut last = Instant::now();
    while !open.is_empty() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(message) => {
                let message = message?;
                // Skips records written in the meantime.
                if message.offset() < ends[&message.partition()] {
                    records.blocking_send(record(&message))?;
                }
                if message.offset() + 1 >= ends[&message.partition()] {
                    open.remove(&message.partition());
                }
                last = Instant::now();
            }
            None => anyhow::ensure!(last.elapsed() < TIMEOUT, "records of {topic} do not come: {open:?}"),
        }
    }
    Ok(())
}

fn record(message: &impl Message) -> Record {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    Record {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect(),
    }
}
