//! `receiver.sources`.

use bytesize::ByteSize;
use config::units;
use serde::{Deserialize, Serialize};

use super::Auth;
use super::verification::Verification;

/// `receiver.sources.<name>`: one webhook.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `path`: the path to post to; each source has its own.
    pub path: String,
    /// `subject`: the registry subject whose latest schema a bare datum is written with.
    pub subject: String,
    /// `accept_subjects`: other subjects whose schemas an event may name by an id, a fingerprint or a file's text. An
    /// event that names the schema of any other subject is refused.
    #[serde(default)]
    pub accept_subjects: Vec<String>,
    /// `older_versions`: how many versions before the latest one are tried for a bare datum that does not fit the
    /// latest, at most 10; 0 turns it off.
    #[serde(default = "older_versions")]
    pub older_versions: u8,
    /// `topic`: the topic of the events. Absent: `kafka.topic`.
    #[serde(default)]
    pub topic: Option<String>,
    /// `key_field`: the field with the event's id, with dots between names: it becomes the record's key and later the
    /// document's `_id`. Without it, records have no key, and a document's id is `topic-partition-offset-timestamp`.
    #[serde(default)]
    pub key_field: Option<String>,
    /// `id_scope`: where the ids of `key_field` are unique: in the whole `topic`, or only among the events of this
    /// `source`; then the source's name becomes part of the `_id`. By default `source` if another source with a
    /// `key_field` writes to the same topic, else `topic`. See `docs/ids.md`.
    #[serde(default)]
    pub id_scope: Option<IdScope>,
    /// `auth`: who may post.
    pub auth: Auth,
    /// `verification`: a section, which may be empty (`{}`): `GET`, `HEAD` and `OPTIONS` are answered 200, for vendors
    /// that check whether the webhook exists; without it 405.
    #[serde(default)]
    pub verification: Option<Verification>,
    /// `content_types`: media types that are accepted in addition to those of Avro, such as `application/octet-stream`,
    /// for senders that cannot set another; the body may have any form (`docs/http.md`).
    #[serde(default)]
    pub content_types: Vec<String>,
    /// `limits`: what one request may hold.
    #[serde(default)]
    pub limits: Limits,
    /// `register_schemas`: whether the schema of an object container file is registered under `subject` if no version
    /// there is the same; otherwise such a file is refused.
    #[serde(default)]
    pub register_schemas: bool,
    /// `quarantine`: where bodies go that are not events.
    #[serde(default)]
    pub quarantine: Quarantine,
}

/// `receiver.sources.<name>.id_scope`: where the ids of a source are unique. `docs/ids.md` has the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdScope {
    /// In the topic: events of other sources with the same id are the same event.
    Topic,
    /// Among the events of the source: another source may use the same ids for other events.
    Source,
}

fn older_versions() -> u8 {
    3
}

/// `receiver.sources.<name>.quarantine`: what happens to bodies from authenticated senders that are not events.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quarantine {
    /// `enabled`: whether they are kept.
    pub enabled: bool,
    /// `topic`: the topic they are written to. Absent: `kafka.quarantine_topic`.
    pub topic: Option<String>,
    /// `max_body`: longer ones are not kept.
    #[serde(with = "units::size")]
    pub max_body: ByteSize,
    /// `per_second`: how many bodies are kept per second, on average; ten times as many in a burst.
    pub per_second: u32,
}

impl Default for Quarantine {
    fn default() -> Self {
        Self { enabled: true, topic: None, max_body: ByteSize::kib(512), per_second: 1_000 }
    }
}

/// `receiver.sources.<name>.limits`: what one request may hold.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// `max_body`: bytes of one request's body, as it is sent.
    #[serde(with = "units::size")]
    pub max_body: ByteSize,
    /// `max_decompressed`: bytes of a body after decompression (`Content-Encoding`), and of all events of an object
    /// container file; at most 512 MiB. While its events are checked, a request may hold twice as much of
    /// `receiver.max_in_flight_bytes`.
    #[serde(with = "units::size")]
    pub max_decompressed: ByteSize,
    /// `max_events`: events of one object container file, at most 100,000; no more than `queue.buffering.max.messages`
    /// in `kafka.options`, if that is smaller.
    pub max_events: u32,
    /// `max_depth`: how deep records, arrays, maps and unions may be nested in one event.
    pub max_depth: u16,
    /// `max_items`: how many array items and map entries one event may hold in all.
    pub max_items: u32,
    /// `max_values`: how many values of all kinds one event may hold, fields included.
    pub max_values: u32,
    /// `strict_uuids`: whether text of a `uuid` that is not a UUID is refused; otherwise it is kept as text and
    /// counted.
    pub strict_uuids: bool,
    /// `max_requests_per_second`: average rate of requests from authenticated senders; more are answered 429. Each
    /// receiver counts on its own.
    pub max_requests_per_second: Option<u32>,
    /// `burst`: how many requests may arrive at once before that rate applies; by default `max_requests_per_second`.
    pub burst: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: ByteSize::mib(1),
            max_decompressed: ByteSize::mib(16),
            max_events: 10_000,
            max_depth: 64,
            max_items: 100_000,
            max_values: 1_600_000,
            strict_uuids: false,
            max_requests_per_second: None,
            burst: None,
        }
    }
}
