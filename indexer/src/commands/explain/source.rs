//! The source of the record to explain.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use kafka::position::{Offset, Partition};
use kafka::{Login, without_value};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::Offset as Position;

use crate::backing::now_millis;
use crate::commands::CommandError;
use crate::commands::log::is_passing;
use crate::config::Config;
use crate::message::record::{Headers, OwnedRecord, Record};

/// How long one poll waits.
const POLL: Duration = Duration::from_millis(200);

/// A file, or a record of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A file with a record's value.
    File(PathBuf),
    /// A record of a topic.
    Record { topic: String, partition: Partition, offset: Offset },
}

impl FromStr for Source {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        let path = PathBuf::from(text);
        if path.is_file() {
            return Ok(Self::File(path));
        }
        record(text).ok_or_else(|| CommandError::NotARecord(text.to_owned()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Record { topic, partition, offset } => write!(f, "{topic}:{partition}:{offset}"),
        }
    }
}

fn record(text: &str) -> Option<Source> {
    let (rest, offset) = text.rsplit_once(':')?;
    let (topic, partition) = rest.rsplit_once(':')?;
    let partition = Partition(partition.parse().ok().filter(|number| *number >= 0)?);
    let offset = Offset(offset.parse().ok().filter(|number| *number >= 0)?);
    (!topic.is_empty()).then(|| Source::Record { topic: topic.to_owned(), partition, offset })
}

impl Source {
    /// Returns the topic, if the source names it.
    pub(super) fn topic(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Record { topic, .. } => Some(topic),
        }
    }

    /// Reads the record. For a file, it gets the key `key` and the current time. Waits for Kafka.
    pub(super) fn read(&self, config: &Config, key: Option<&str>) -> Result<OwnedRecord, CommandError> {
        match self {
            Self::File(path) => {
                let value = std::fs::read(path)
                    .map_err(|error| CommandError::File { path: path.clone(), reason: error.to_string() })?;
                Ok(OwnedRecord::copy(&Record {
                    partition: Partition(0),
                    offset: Offset(0),
                    timestamp: Some(now_millis()),
                    key: key.map(str::as_bytes),
                    value: Some(&value),
                    headers: Headers::default(),
                }))
            }
            Self::Record { topic, partition, offset } => fetch(config, topic, *partition, *offset),
        }
    }
}

fn fetch(config: &Config, topic: &str, partition: Partition, offset: Offset) -> Result<OwnedRecord, CommandError> {
    let mut client = kafka::client_config(&config.kafka, "penstock-indexer-explain")?;
    // No member uses this group: nothing is committed or joined.
    client.set("group.id", "penstock-explain").set("enable.auto.commit", "false").set("auto.offset.reset", "error");
    let consumer: BaseConsumer<Login> =
        client.create_with_context(Login::new(&config.kafka)?).map_err(without_value)?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition.0, Position::Offset(offset.0))?;
    consumer.assign(&list)?;
    let until = Instant::now() + config.kafka.timeout;
    let missing = |why: String| CommandError::NoRecord(format!("{topic}:{partition}:{offset} cannot be read: {why}"));
    let mut headers = Vec::new();
    while Instant::now() < until {
        match consumer.poll(POLL) {
            None => {}
            Some(Err(error)) if is_passing(&error) => {}
            Some(Err(error)) => return Err(missing(error.to_string())),
            Some(Ok(message)) => {
                let record = Record::of(&message, &mut headers);
                if record.offset != offset {
                    return Err(missing(format!(
                        "there is no record at this offset; the next one is at {}",
                        record.offset
                    )));
                }
                return Ok(OwnedRecord::copy(&record));
            }
        }
    }
    Err(missing("no record arrived: the offset is past the end, or Kafka does not answer".to_owned()))
}

#[cfg(test)]
mod tests;
