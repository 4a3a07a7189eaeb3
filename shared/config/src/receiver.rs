//! `receiver`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use super::network::{ForwardedCertificate, Network, ProxyProtocol};
use super::units;
use super::{Auth, Config};

/// `receiver`: the HTTP side.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receiver {
    /// `receiver.listen`: the listen address for webhooks.
    pub listen: SocketAddr,
    /// `receiver.admin_listen`: the listen address for the status page (`/`), `/metrics`, `/livez` and `/readyz`;
    /// not for the internet.
    pub admin_listen: SocketAddr,
    /// `receiver.tls`: HTTPS on `receiver.listen`; without it plain HTTP.
    pub tls: Option<Tls>,
    /// `receiver.publish_openapi`: serve `/openapi.json`, which the admin port always has, on `receiver.listen` too.
    pub publish_openapi: bool,
    /// `receiver.trailing_slash`: `strict`: `/webhook` and `/webhook/` are two paths; `ignore`: they are one.
    pub trailing_slash: TrailingSlash,
    /// `receiver.trusted_proxies`: addresses and networks of proxies in front of the receiver. The header `Forwarded`,
    /// or else `X-Forwarded-For`, of their requests names the sender: the last address that is not a trusted proxy.
    pub trusted_proxies: Vec<Network>,
    /// `receiver.proxy_protocol`: whether each connection begins with a head of the PROXY protocol: `none` or `v2`.
    /// With it, only the `trusted_proxies` may connect.
    pub proxy_protocol: ProxyProtocol,
    /// `receiver.forwarded_certificate`: how the `trusted_proxies` pass on the certificate of a client, for `auth` of
    /// `type: mtls`.
    pub forwarded_certificate: Option<ForwardedCertificate>,
    /// `receiver.request_timeout`: the deadline of one request, from its head to its answer.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// `receiver.head_timeout`: time limit for a new connection's TLS handshake, and then for the head of its first
    /// request.
    #[serde(with = "humantime_serde")]
    pub head_timeout: Duration,
    /// `receiver.idle_timeout`: how long a connection may wait for the head of its next request. It must be longer than
    /// the idle timeout of a load balancer in front (often 60 s), which must be the first to close.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// `receiver.write_timeout`: how long the peer of a connection may read nothing of the data written to it; then the
    /// connection is closed.
    #[serde(with = "humantime_serde")]
    pub write_timeout: Duration,
    /// `receiver.unauthenticated_timeout`: time limit for the body of a request whose signature can be checked only
    /// with the body.
    #[serde(with = "humantime_serde")]
    pub unauthenticated_timeout: Duration,
    /// `receiver.shutdown_delay`: how long, after SIGTERM, requests are still accepted while `/readyz` says 503: the
    /// time that a load balancer needs to notice. Meanwhile answers on HTTP/1.1 carry `Connection: close`.
    #[serde(with = "humantime_serde")]
    pub shutdown_delay: Duration,
    /// `receiver.shutdown_timeout`: how long requests in flight may take to finish after SIGTERM.
    #[serde(with = "humantime_serde")]
    pub shutdown_timeout: Duration,
    /// `receiver.max_unauthenticated_requests`: concurrent requests whose signature can be checked only with their
    /// body. When there are more, one is answered 503: the oldest one of the busiest address of the busiest source.
    pub max_unauthenticated_requests: usize,
    /// `receiver.max_in_flight_requests`: concurrent authenticated requests; more are answered 503.
    pub max_in_flight_requests: usize,
    /// `receiver.max_in_flight_bytes`: bytes held at a time for all requests; requests beyond that are answered 503. An
    /// eighth is reserved for requests of up to 64 KiB; unauthenticated requests may hold a quarter.
    #[serde(with = "units::size")]
    pub max_in_flight_bytes: ByteSize,
    /// `receiver.max_connections`: concurrent connections. Beyond it, the oldest one that has brought no authenticated
    /// request is closed; if there is none, new connections wait.
    pub max_connections: usize,
    /// `receiver.max_connections_per_address`: the same for the connections from one address (IPv6: from one /64
    /// network); if all of them are authenticated, further ones are closed at once. By default half of
    /// `max_connections`. Senders behind one proxy share one address.
    pub max_connections_per_address: Option<usize>,
    /// `receiver.worker_threads`: threads that serve requests. By default one for each core but one, at least one.
    /// librdkafka has threads of its own; more threads than that cost CPU without serving more requests.
    pub worker_threads: Option<usize>,
    /// `receiver.sources`: the webhooks by name, at least one. The name, of letters, digits, `-`, `_` and `.`, appears
    /// in each record's header `source` and in the metrics.
    pub sources: BTreeMap<String, Source>,
}

/// `receiver.trailing_slash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrailingSlash {
    /// `/webhook` and `/webhook/` are two paths.
    Strict,
    /// They are one, unless both are the path of a source.
    Ignore,
}

/// `receiver.tls`: the certificates of the listener. All files are PEM, and are read again when they change.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// `receiver.tls.certificate_file`: a PEM file: the server's certificate, then the intermediate certificates up to
    /// its authority.
    pub certificate_file: PathBuf,
    /// `receiver.tls.key_file`: a PEM file with its private key.
    pub key_file: PathBuf,
    /// `receiver.tls.client_ca_file`: a PEM file with the authorities whose client certificates are accepted, for
    /// `auth` of `type: mtls`.
    #[serde(default)]
    pub client_ca_file: Option<PathBuf>,
}

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
    /// `verification`: a section, which may be empty (`{}`): `GET` and `HEAD` are answered 200, for vendors that check
    /// whether the webhook exists; without it 405.
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
    /// `quarantine`: where bodies go that are no events.
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

/// `receiver.sources.<name>.verification`: `GET` and `HEAD` are answered 200, without authentication.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// `challenge_parameter`: the query parameter whose value is returned, such as `hub.challenge`.
    pub challenge_parameter: Option<String>,
}

/// `receiver.sources.<name>.quarantine`: what becomes of bodies from authenticated senders that are no events.
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

impl Default for Receiver {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 9101)),
            tls: None,
            publish_openapi: false,
            trailing_slash: TrailingSlash::Strict,
            trusted_proxies: Vec::new(),
            proxy_protocol: ProxyProtocol::None,
            forwarded_certificate: None,
            request_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(10),
            unauthenticated_timeout: Duration::from_secs(5),
            shutdown_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(20),
            max_unauthenticated_requests: 1_024,
            max_in_flight_requests: 4_096,
            max_in_flight_bytes: ByteSize::mib(256),
            max_connections: 8_192,
            max_connections_per_address: None,
            worker_threads: None,
            sources: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Returns where the ids of the source `name` are unique, by its `id_scope` or by what follows from the other
    /// sources of its topic. Without a `key_field` there are no ids, and it is the topic.
    pub fn id_scope(&self, name: &str) -> IdScope {
        let sources = &self.receiver.sources;
        let Some(source) = sources.get(name).filter(|source| source.key_field.is_some()) else { return IdScope::Topic };
        let topic = |source: &Source| source.topic.clone().unwrap_or_else(|| self.kafka.topic.clone());
        let shares = sources.iter().any(|(other_name, other)| {
            other_name != name && other.key_field.is_some() && topic(other) == topic(source)
        });
        source.id_scope.unwrap_or(if shares { IdScope::Source } else { IdScope::Topic })
    }
}

impl Receiver {
    /// Returns how many connections one address may have, by `receiver.max_connections_per_address`.
    pub fn max_connections_per_address(&self) -> usize {
        self.max_connections_per_address.unwrap_or(self.max_connections.div_ceil(2)).max(1)
    }

    /// Returns how many threads serve requests, by `receiver.worker_threads` and the cores that the process may use.
    pub fn worker_threads(&self) -> usize {
        let all_but_one = || std::thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1);
        self.worker_threads.unwrap_or_else(all_but_one).max(1)
    }
}

#[cfg(test)]
mod tests;
