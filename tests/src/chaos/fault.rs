//! The kinds of faults.

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

/// One of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The clock of all senders, which determines the events' own timestamps.
    Sender,
    /// The clock of a service.
    Of(Service),
}

/// Selects records of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// Those before the committed offsets.
    Committed,
    /// All, whether or not they are indexed.
    All,
}

/// Makes a copy of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// By `_clone`.
    Clone,
    /// Document by document, into a new index.
    Reindex,
    /// By a snapshot that is restored under another name.
    Restore,
}

/// Selects an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The write index.
    Newest,
    /// The oldest index, if it is not the write index.
    Oldest,
}

/// How a server becomes unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// SIGTERM, then a start.
    Stop,
    /// `kill -9`, then a start.
    Kill,
    /// SIGSTOP, then SIGCONT.
    Pause,
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A service becomes unavailable.
    Service(Service, Loss),
    /// A broker becomes unavailable, by its number from 1.
    Broker(u8, Loss),
    /// The broker that leads the first partition is killed.
    Leader,
    /// Two of three brokers are killed, one of them this one.
    Quorum(u8),
    /// A node of Elasticsearch becomes unavailable, by its number from 1.
    Node(u8, Loss),
    /// A node's write queue has room for only one request.
    FullQueue(u8),
    /// An index is made read-only, and later writable again.
    ReadOnly(Which),
    /// An index is closed, and later opened again.
    Close(Which),
    /// The oldest index is deleted.
    Delete,
    /// An operator rolls the index over; with a number, only if the newest index has that many documents.
    RollOver(Option<u32>),
    /// The oldest index that is not a copy is replaced with one.
    Copied(Copying),
    /// The disks of all nodes are full.
    FullDisk,
    /// The alias is removed from all indices, and later given back to them.
    Alias,
    /// A clock is ahead by this many milliseconds, or behind; it steps there and back.
    Clock(Clock, i64),
    /// Retention deletes records.
    Retention(Records),
    /// An operator deletes the index template.
    Template,
    /// An operator makes the mapping of the newest index strict.
    StrictMapping,
    /// A link has bad weather.
    Weather(Wire, Weather),
    /// A schema with one more field is registered, and some events use it.
    Schema,
    /// Two schemas are registered that give one field contradictory types.
    Contradiction,
    /// The topic gets one more partition.
    Partition,
    /// The token of the senders is replaced.
    Token,
    /// The registry becomes unavailable.
    Registry(Loss),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
