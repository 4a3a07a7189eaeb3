//! `receiver`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use super::network::{ForwardedCertificate, Network, ProxyProtocol};
use super::source::Source;
use config::units;

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
    /// `receiver.trusted_proxies`: addresses and networks of proxies in front of the receiver. The header `Forwarded`
    /// or `X-Forwarded-For` of their requests names the sender: the last address that is not a trusted proxy. If both
    /// are there and name different senders, the address of the proxy itself counts.
    pub trusted_proxies: Vec<Network>,
    /// `receiver.proxy_protocol`: whether each connection begins with a header of the PROXY protocol, and of which
    /// version: `none`, `v1`, `v2` or `any` of both. With it, only the `trusted_proxies` may connect.
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
    /// network); if all of them are authenticated, further ones are closed immediately. By default half of
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
    /// They are one path, unless each is the path of a source.
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

impl Receiver {
    /// Returns how many connections one address may have: `receiver.max_connections_per_address` or its default.
    pub fn max_connections_per_address(&self) -> usize {
        self.max_connections_per_address.unwrap_or(self.max_connections.div_ceil(2)).max(1)
    }

    /// Returns how many threads serve requests: `receiver.worker_threads`, or by default the number of usable cores
    /// less one.
    pub fn worker_threads(&self) -> usize {
        let all_but_one = || std::thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1);
        self.worker_threads.unwrap_or_else(all_but_one).max(1)
    }
}
