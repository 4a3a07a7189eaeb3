//! One receiver or indexer, as its admin port says.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use service::http::Web;

use super::samples::Samples;
use crate::commands::plain::plain;

/// How long an admin port may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The counters whose rate is shown.
const RATES: [&str; 2] = ["penstock_indexer_consumed_records_total", "penstock_receiver_events_total"];

/// One service.
#[derive(Debug, Default, Serialize)]
pub struct Service {
    /// The address of its admin port.
    pub url: String,
    /// What it is: receiver or indexer; none where it does not answer.
    pub service: Option<&'static str>,
    /// Its version.
    pub version: Option<String>,
    /// Whether it is ready.
    pub ready: bool,
    /// Why it is not ready, each condition with its reason; or why it does not answer.
    pub why: Vec<String>,
    /// Events a second, between two looks.
    pub rate: Option<f64>,
    /// Records that wait (indexer).
    pub lag: Option<f64>,
    /// For how many seconds the oldest record that was read is not settled (indexer).
    pub oldest_unsettled_seconds: Option<f64>,
    /// How many bulk requests are sent at a time at most, for now (indexer).
    pub concurrency_limit: Option<f64>,
    /// What Elasticsearch is blocked by (indexer).
    pub blocked: Vec<String>,
    /// Whether it has paused its partitions, for want of room (indexer).
    pub paused: bool,
    /// Topics whose fuse has blown (indexer).
    pub fuse_blown: Vec<String>,
    /// Dead letters since its start (indexer).
    pub dead_letters: Option<f64>,
    /// Requests in flight (receiver).
    pub in_flight: Option<f64>,
}

/// What the next look needs of this one, for rates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    events: f64,
    at: Instant,
}

/// Returns a client for admin ports.
///
/// # Errors
/// In words.
pub(super) fn web() -> Result<Web, String> {
    Web::new(TIMEOUT)
}

/// Asks the service at `url` by `web`; `before` is what the last look has left.
pub(super) async fn ask(web: &Web, url: &str, before: Option<Before>) -> (Service, Option<Before>) {
    let base = url.trim_end_matches('/').trim_end_matches("/metrics").to_owned();
    let named = |why: String| Service { url: base.clone(), why: vec![why], ..Service::default() };
    let text = match web.get(&format!("{base}/metrics")).await {
        Ok((200, text)) => text,
        Ok((status, _)) => return (named(format!("/metrics was answered {status}: is this an admin port?")), None),
        Err(error) => return (named(error), None),
    };
    let (samples, at) = (Samples::parse(&text), Instant::now());
    let events = RATES.iter().find_map(|name| samples.sum(name, &[]));
    let rate = events.zip(before).map(|(events, before)| {
        (events - before.events).max(0.0) / at.duration_since(before.at).as_secs_f64().max(0.001)
    });
    let (ready, why) = match web.get(&format!("{base}/readyz")).await {
        Ok((200, _)) => (true, Vec::new()),
        Ok((_, text)) => (false, text.lines().map(str::to_owned).collect()),
        Err(error) => (false, vec![error]),
    };
    let next = events.map(|events| Before { events, at });
    (Service { url: base, ready, why, rate, ..of(&samples) }, next)
}

fn of(samples: &Samples) -> Service {
    let build = |service: &str| samples.label(&format!("penstock_{service}_build_info"), "version");
    let (service, version) = match (build("indexer"), build("receiver")) {
        (Some(version), _) => (Some("indexer"), Some(version)),
        (None, Some(version)) => (Some("receiver"), Some(version)),
        (None, None) => (None, None),
    };
    let sum = |name: &str| samples.sum(name, &[]);
    Service {
        service,
        version,
        lag: sum("penstock_indexer_lag_records"),
        oldest_unsettled_seconds: samples.max("penstock_indexer_oldest_unsettled_seconds"),
        concurrency_limit: sum("penstock_indexer_concurrency_limit"),
        blocked: samples.set("penstock_indexer_blocked", "reason"),
        paused: samples.max("penstock_indexer_paused").is_some_and(|paused| paused > 0.0),
        fuse_blown: samples.set("penstock_indexer_fuse_blown", "topic"),
        dead_letters: sum("penstock_indexer_dead_letters_total"),
        in_flight: sum("penstock_receiver_requests_in_flight"),
        ..Service::default()
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = self.service.unwrap_or("unknown service");
        let ready = if self.ready { "ready" } else { "NOT READY" };
        write!(f, "{service} {}: {ready}", plain(&self.url))?;
        let numbers = [
            ("/s", self.rate),
            (" records wait", self.lag),
            (" s oldest unsettled", self.oldest_unsettled_seconds),
            (" bulk requests at a time", self.concurrency_limit),
            (" dead letters", self.dead_letters),
            (" requests in flight", self.in_flight),
        ];
        for (unit, number) in numbers.iter().filter_map(|(unit, number)| Some((unit, (*number)?))) {
            write!(f, ", {number:.0}{unit}")?;
        }
        if self.paused {
            f.write_str(", paused for want of room")?;
        }
        let blown = self.fuse_blown.iter().map(|topic| format!("the fuse of {topic} has blown"));
        let blocked = self.blocked.iter().map(|reason| format!("blocked: {reason}"));
        let lines = blown.chain(blocked).chain(self.why.iter().cloned());
        lines.map(|line| plain(&line).into_owned()).try_for_each(|line| write!(f, "\n  {line}"))
    }
}
