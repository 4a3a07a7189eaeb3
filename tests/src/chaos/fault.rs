//! What can go wrong.

use std::fmt;

use crate::link::Weather;

/// One of the services, by its number from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// A receiver.
    Receiver(usize),
    /// An indexer.
    Indexer(usize),
}

/// One of the links, by its number from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// From senders to a receiver.
    Receiver(usize),
    /// To a broker.
    Broker(usize),
    /// To a node of Elasticsearch.
    Node(usize),
    /// To the registry.
    Registry(usize),
}

/// Which index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that is written to.
    Newest,
    /// The oldest, if it is not the one that is written to.
    Oldest,
}

/// How a server goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// SIGTERM, and a start.
    Stop,
    /// `kill -9`, and a start.
    Kill,
    /// SIGSTOP, and SIGCONT.
    Pause,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A service goes away.
    Service(Service, Loss),
    /// A broker, by its number from 1.
    Broker(u8, Loss),
    /// The broker that leads the first partition is killed.
    Leader,
    /// Two of three brokers are killed, one of them this one.
    Quorum(u8),
    /// A node of Elasticsearch, by its number from 1.
    Node(u8, Loss),
    /// A node's write queue holds one request.
    FullQueue(u8),
    /// An index is made read-only, and writable again.
    ReadOnly(Which),
    /// An index is closed, and opened again.
    Close(Which),
    /// The oldest index is deleted.
    Delete,
    /// Somebody rolls over; with a number, only if the newest index holds so many documents.
    RollOver(Option<u32>),
    /// Somebody deletes the index template.
    Template,
    /// Somebody makes the mapping of the newest index strict.
    StrictMapping,
    /// A link has bad weather.
    Weather(Wire, Weather),
    /// A schema with one more field is registered, and some of the events use it.
    Schema,
    /// Two schemas are registered that give one field two types that contradict each other.
    Contradiction,
    /// The topic gets one more partition.
    Partition,
    /// The token of the senders is replaced.
    Token,
    /// The registry goes away.
    Registry(Loss),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
