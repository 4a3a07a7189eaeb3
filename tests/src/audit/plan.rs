//! The events to send, by number: mostly good ones, with an occasional odd one that needs special treatment.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Duration, Instant};

use super::journal::Intent;
use crate::event::{self, Event, Events, SCHEMA, put_string};
use crate::sender::Flaw;

/// One event in this many is odd.
const ODD_EVERY: u64 = 40;
/// How many acknowledged events are remembered for repetition or conflict.
const REMEMBERED: usize = 2_048;
/// The minimum age of an event before another one takes its id: two events of the same millisecond count as one
/// (`docs/ids.md`, "What remains uncertain").
const RIVAL_AGE: Duration = Duration::from_secs(2);

/// What is odd about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    /// The receiver must refuse its bytes.
    Flawed(Flaw),
    /// The receiver must refuse its credentials.
    WrongToken,
    /// The index refuses its document.
    Unmappable,
    /// It was sent and acknowledged before.
    Repeat,
    /// It has the id of another event that was acknowledged.
    Rival,
}

/// The kinds of odd events, used in turn.
const ODD: [Odd; 10] = [
    Odd::Flawed(Flaw::Truncated),
    Odd::Repeat,
    Odd::Rival,
    Odd::Flawed(Flaw::Trailing),
    Odd::Unmappable,
    Odd::Repeat,
    Odd::WrongToken,
    Odd::Flawed(Flaw::NotUtf8),
    Odd::Repeat,
    Odd::Flawed(Flaw::NotAvro),
];

/// A schema for events: that of [`Event`] plus more fields at its end, with the same content in each event.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its id in the registry.
    pub id: u32,
    /// The intended outcome of its events.
    pub intent: Intent,
    /// The bytes of the additional fields.
    pub more: Vec<u8>,
}

/// An event to send.
#[derive(Clone, Debug)]
pub struct Item {
    /// The event before encoding.
    pub event: Event,
    /// The id of its schema.
    pub schema: u32,
    /// Its bytes.
    pub datum: Vec<u8>,
    /// Whether a frame names its schema; otherwise the source's own schema applies.
    pub is_framed: bool,
    /// Its intended outcome.
    pub intent: Intent,
    /// Whether it is sent with the right token.
    pub is_authorized: bool,
}

/// Creates the items of one seed.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    events: Events,
    variants: Vec<Variant>,
    recent: VecDeque<(Instant, Item)>,
    /// By how many milliseconds the sender's clock is ahead.
    ahead: i64,
}

impl Variant {
    /// Returns the schema of [`Event`] with additional fields, each given by name, type and default.
    pub fn schema(more: &[(&str, &str)]) -> String {
        let fields: String =
            more.iter().map(|(name, kind)| format!(r#", {{"name": "{name}", "type": {kind}}}"#)).collect();
        let end = SCHEMA.rfind(']').unwrap_or(SCHEMA.len());
        format!("{}{fields}{}", SCHEMA[..end].trim_end(), &SCHEMA[end..])
    }

    /// Returns the bytes of an additional field that holds `text`.
    pub fn text(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_string(&mut bytes, text);
        bytes
    }
}

impl Plan {
    /// Creates a plan for `seed`. All items initially use the schema of [`Event`], whose id in the registry is
    /// `schema`.
    pub fn new(seed: u64, schema: u32) -> Self {
        let first = Variant { id: schema, intent: Intent::Good, more: Vec::new() };
        let events = Events::new(seed.wrapping_mul(1_000_003), 0);
        Self { seed, events, variants: vec![first], recent: VecDeque::new(), ahead: 0 }
    }

    /// Makes some of the later events use `variant`.
    pub fn add(&mut self, variant: Variant) {
        self.variants.push(variant);
    }

    /// Sets the clock of the later events `ahead` by this many milliseconds; a negative number sets it behind.
    pub fn set_clock(&mut self, ahead: i64) {
        self.ahead = ahead;
    }

    /// Returns the current item for this `number`.
    pub fn item(&mut self, number: u64) -> Item {
        let mut random = StdRng::seed_from_u64(self.seed ^ number.rotate_left(20));
        let item = self.good(number, &mut random);
        if number % ODD_EVERY != ODD_EVERY - 1 {
            return item;
        }
        let turn = usize::try_from(number / ODD_EVERY).unwrap_or(0) % ODD.len();
        let refused = Item { intent: Intent::Refused, ..item.clone() };
        match ODD[turn] {
            Odd::Flawed(flaw) => {
                let (datum, schema) = (flaw.spoil(item.event), self.variants[0].id);
                Item { datum, schema, is_framed: true, ..refused }
            }
            Odd::WrongToken => Item { is_authorized: false, ..refused },
            Odd::Unmappable => {
                let (datum, schema) = (Flaw::Unmappable.spoil(item.event.clone()), self.variants[0].id);
                Item { datum, schema, intent: Intent::Dead, ..item }
            }
            Odd::Repeat if self.recent.is_empty() => item,
            Odd::Repeat => self.recent[random.random_range(0..self.recent.len())].1.clone(),
            Odd::Rival => self.rival().unwrap_or(item),
        }
    }

    /// Remembers an acknowledged item.
    pub fn acknowledged(&mut self, item: Item) {
        if item.intent != Intent::Good {
            return;
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((Instant::now(), item));
    }

    fn good(&self, number: u64, random: &mut StdRng) -> Item {
        let event = Event { timestamp: event::now() + self.ahead, ..self.events.event(number) };
        let mut variant = &self.variants[random.random_range(0..self.variants.len())];
        // Keeps dead letters rare, so that the fuse does not blow.
        if variant.intent == Intent::Dead && random.random_bool(0.9) {
            variant = &self.variants[0];
        }
        let datum = [event.encode(), variant.more.clone()].concat();
        // Without variants, the source's own schema can only be the first one.
        let is_framed = self.variants.len() > 1 || random.random_bool(0.5);
        Item { event, schema: variant.id, datum, is_framed, intent: variant.intent, is_authorized: true }
    }

    /// Returns another event with the id and the time of an acknowledged one.
    fn rival(&mut self) -> Option<Item> {
        let (at, _) = self.recent.front()?;
        if at.elapsed() < RIVAL_AGE {
            return None;
        }
        let (_, first) = self.recent.pop_front()?;
        let event = Event { action_type: format!("not.{}", first.event.action_type), ..first.event };
        let (datum, schema) = (event.encode(), self.variants[0].id);
        Some(Item { event, schema, datum, is_framed: true, intent: Intent::Good, is_authorized: true })
    }
}

#[cfg(test)]
mod tests;
