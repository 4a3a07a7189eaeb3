//! The events to send, by number: mostly good ones, with an occasional deliberate flaw.

use std::collections::HashSet;

use crate::event::{Event, Events, put_bytes, put_long};

/// 2300-01-01 in milliseconds since the Unix epoch. Avro and a `date` field accept this time, but a `date_nanos` field
/// accepts no time after 2262 (Elasticsearch reference, "Date nanoseconds field type").
const BEYOND_NANOS: i64 = 10_413_792_000_000;

/// What is wrong with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The last byte is missing.
    Truncated,
    /// There is an extra byte.
    Trailing,
    /// A string is not UTF-8.
    NotUtf8,
    /// It is JSON.
    NotAvro,
    /// The receiver accepts it, but the index refuses the document if `timestamp` is mapped by [`Flaw::MAPPED`].
    Unmappable,
}

/// Says which event to send under each number.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// The events.
    pub events: Events,
    /// One event in this many has a flaw; 0 means none.
    pub flawed_every: u64,
    /// The flaws, used in turn.
    pub flaws: &'static [Flaw],
}

impl Flaw {
    /// The flaws that the receiver must refuse with 400.
    pub const REFUSED: [Self; 4] = [Self::Truncated, Self::Trailing, Self::NotUtf8, Self::NotAvro];

    /// The field and type for `elasticsearch.mapping.fields`. Without it, no mapping refuses what the receiver accepts.
    pub const MAPPED: (&str, &str) = ("timestamp", "date_nanos");

    /// Returns the body of `event` with this flaw.
    pub fn spoil(self, mut event: Event) -> Vec<u8> {
        match self {
            Self::Truncated => {
                let mut datum = event.encode();
                datum.pop();
                datum
            }
            Self::Trailing => {
                let mut datum = event.encode();
                datum.push(0);
                datum
            }
            Self::NotUtf8 => {
                let mut datum = Vec::new();
                put_bytes(&mut datum, event.event_id.as_bytes());
                put_long(&mut datum, event.timestamp);
                put_bytes(&mut datum, b"\xff\xfe");
                datum.extend_from_slice(&event.encode()[datum.len()..]);
                datum
            }
            Self::NotAvro => event.document().to_string().into_bytes(),
            Self::Unmappable => {
                event.timestamp = BEYOND_NANOS;
                event.encode()
            }
        }
    }
}

impl Mix {
    /// Returns a mix of only good events.
    pub fn good(events: Events) -> Self {
        Self { events, flawed_every: 0, flaws: &[] }
    }

    /// Returns the flaw of event `number`, if it has one.
    pub fn flaw(&self, number: u64) -> Option<Flaw> {
        if self.flaws.is_empty() || self.flawed_every == 0 || number % self.flawed_every != self.flawed_every - 1 {
            return None;
        }
        let turn = usize::try_from(number / self.flawed_every).unwrap_or(0);
        Some(self.flaws[turn % self.flaws.len()])
    }

    /// Returns the body to post for event `number`.
    pub fn body(&self, number: u64) -> Vec<u8> {
        let event = self.events.event(number);
        match self.flaw(number) {
            None => event.encode(),
            Some(flaw) => flaw.spoil(event),
        }
    }

    /// Returns the ids of those of `numbers` that must be in Elasticsearch.
    pub fn indexable(&self, numbers: &[u64]) -> HashSet<String> {
        let good = numbers.iter().filter(|number| self.flaw(**number).is_none());
        good.map(|number| self.events.id(*number)).collect()
    }
}
