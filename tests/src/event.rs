//! The event that tests and demo send: `deploy/schemas/data-action-event.avsc`, about 178 bytes of Avro.
//!
//! An event depends only on a seed and its number, so it is enough to remember the numbers of the events that were
//! sent. The encoder is hand-written, since it shares the cores with the services under load; a test compares it with
//! apache-avro.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Value, json};
use uuid::Builder;

pub use avro::{put_bytes, put_long, put_string};

mod avro;

/// The text of the schema.
pub const SCHEMA: &str = include_str!("../../deploy/schemas/data-action-event.avsc");

/// The bytes of an event on average.
const USUAL_BYTES: usize = 178;
/// The bytes of a further property in addition to its text: its name, and the lengths of both.
const TEXT_OVERHEAD: usize = 7;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// A random uuid: the record's key and the document's `_id`.
    pub event_id: String,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// The action, such as `contact.routed`.
    pub action_type: String,
    /// A uuid of one of a thousand users; `None` for one event in 32.
    pub user_id: Option<String>,
    /// Channel, queue, region, contact.
    pub metadata: Vec<(String, String)>,
}

/// Creates events.
#[derive(Clone, Copy, Debug)]
pub struct Events {
    seed: u64,
    start: i64,
    bytes: usize,
}

impl Events {
    /// Creates the events of `seed`. The first one happens at `start`, in milliseconds since the Unix epoch, and each
    /// further one a millisecond later.
    pub fn new(seed: u64, start: i64) -> Self {
        Self { seed, start, bytes: 0 }
    }

    /// Creates events with unique ids, from now on.
    pub fn unique() -> Self {
        Self::new(rand::rng().random(), now())
    }

    /// Returns the same events with one more property of random text, so that they have about `bytes` bytes of Avro.
    /// Events are never shorter than without the text.
    pub fn of_size(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// Returns only the id of event `number`.
    pub fn id(&self, number: u64) -> String {
        uuid(&mut self.random(number))
    }

    /// Returns event `number`.
    pub fn event(&self, number: u64) -> Event {
        let mut random = self.random(number);
        let event_id = uuid(&mut random);
        let action_type =
            pick(&mut random, &["contact.routed", "contact.ended", "agent.state.changed", "call.on.hold"]);
        let mut user = StdRng::seed_from_u64(random.random_range(0..1_000));
        let contact: u64 = random.random_range(10_000_000_000_000_000..100_000_000_000_000_000);
        let metadata = [
            ("channel", pick(&mut random, &["voice", "chat", "email", "sms"])),
            ("queue", pick(&mut random, &["billing-emea-vip", "support-apac-vip", "sales-na-new"])),
            ("region", pick(&mut random, &["eu-west-1", "us-east-1", "ap-south-1"])),
            ("contact_id", &contact.to_string()),
        ];
        let mut metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        if let Some(missing) = self.bytes.checked_sub(USUAL_BYTES + TEXT_OVERHEAD) {
            metadata.push(("text".to_owned(), text(&mut random, missing)));
        }
        Event {
            event_id,
            timestamp: self.start + i64::try_from(number).unwrap_or(0),
            action_type: action_type.to_owned(),
            user_id: (number % 32 != 31).then(|| uuid(&mut user)),
            metadata,
        }
    }

    fn random(&self, number: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_add(number))
    }
}

impl Event {
    /// Returns the Avro datum.
    pub fn encode(&self) -> Vec<u8> {
        let mut datum = Vec::with_capacity(192);
        put_string(&mut datum, &self.event_id);
        put_long(&mut datum, self.timestamp);
        put_string(&mut datum, &self.action_type);
        put_long(&mut datum, self.user_id.is_some().into());
        if let Some(user_id) = &self.user_id {
            put_string(&mut datum, user_id);
        }
        if !self.metadata.is_empty() {
            put_long(&mut datum, i64::try_from(self.metadata.len()).unwrap_or(i64::MAX));
        }
        for (name, value) in &self.metadata {
            put_string(&mut datum, name);
            put_string(&mut datum, value);
        }
        put_long(&mut datum, 0);
        datum
    }

    /// Returns the expected document in Elasticsearch, without `_ingested_at` and with the timestamp in milliseconds.
    pub fn document(&self) -> Value {
        let metadata: serde_json::Map<_, _> =
            self.metadata.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "event_id": self.event_id,
            "timestamp": self.timestamp,
            "action_type": self.action_type,
            "user_id": self.user_id,
            "metadata": metadata,
        })
    }
}

/// Returns the current time in milliseconds since the Unix epoch.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn uuid(random: &mut impl Rng) -> String {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Returns `length` random letters, digits and dashes: 6 bits each, so that no codec makes much of them.
fn text(random: &mut impl Rng, length: usize) -> String {
    const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = vec![0; length];
    random.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| char::from(CHARACTERS[usize::from(byte % 64)])).collect()
}

fn pick<'a>(random: &mut impl Rng, from: &[&'a str]) -> &'a str {
    from[random.random_range(0..from.len())]
}

#[cfg(test)]
mod tests;
