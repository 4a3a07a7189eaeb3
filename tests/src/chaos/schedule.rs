//! The schedule of faults, determined by the seed.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::cluster::{MEMBERS, REGISTRIES};
use super::fault::{Clock, Copying, Kind, Loss, Records, Service, Which, Wire};
use crate::link::Weather;

/// The number of receivers, and of indexers.
pub const SERVICES: usize = 3;
/// The time before the first fault of each lane, in milliseconds.
const HEAD_START: u64 = 3_000;
/// The time between two faults of a lane, in milliseconds.
const PAUSE: std::ops::Range<u64> = 1_000..8_000;
/// The time between two faults of a soak.
const MINUTE: Duration = Duration::from_secs(60);
/// The most schemas that a run registers, limited by how many older versions a receiver tries.
const SCHEMAS: u32 = 2;

/// Steps of the senders' clock in milliseconds: within a quarter of the margin, beyond the margin, to an index that may
/// be gone, and to times that cannot be right.
const SENDER_STEPS: [i64; 7] = [800, -800, 20_000, -20_000, -600_000, 172_800_000, -1_300_000_000_000];
/// Steps of a receiver's clock: within a quarter of the margin, beyond the margin, and so far ahead that Kafka refuses
/// its records (`message.timestamp.after.max.ms`).
const RECEIVER_STEPS: [i64; 5] = [800, -800, 45_000, -30_000, 7_200_000];
/// Steps of an indexer's clock: within half a margin, beyond the margin, and by more than `placement.max_ahead`.
const INDEXER_STEPS: [i64; 5] = [1_500, -1_500, 15_000, -20_000, -90_000];

/// A sequence of faults that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Receivers and indexers.
    Services,
    /// Brokers.
    Kafka,
    /// Elasticsearch's nodes and indices.
    Search,
    /// All links.
    Network,
    /// Changes by operators and senders: schemas, partitions, secrets; also the registry.
    Contract,
    /// Clocks, and the retention of records.
    Time,
}

/// One fault of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The lane.
    pub lane: Lane,
    /// When the fault begins, since the start of the run.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
    /// What happens.
    pub kind: Kind,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 6] = [Self::Services, Self::Kafka, Self::Search, Self::Network, Self::Contract, Self::Time];

    /// Returns the next fault, and the range of its duration in milliseconds. `schemas` counts the schemas registered
    /// so far.
    fn draw(self, random: &mut StdRng, schemas: &mut u32) -> (Kind, std::ops::Range<u64>) {
        match self {
            Self::Services => service(random),
            Self::Kafka => kafka(random),
            Self::Search => search(random),
            Self::Network => network(random),
            Self::Contract => contract(random, schemas),
            Self::Time => time(random),
        }
    }
}

/// Returns the faults of `seed`, sorted by lane and time. None begins after `duration`.
pub fn schedule(seed: u64, duration: Duration) -> Vec<Step> {
    let mut steps = Vec::new();
    for (number, lane) in (0..).zip(Lane::ALL) {
        // Each lane has its own generator, so that a new fault in one lane does not change the others.
        let mut random = StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(number));
        let mut schemas = 0;
        let mut at = Duration::from_millis(HEAD_START + random.random_range(PAUSE));
        while at < duration {
            let (kind, range) = lane.draw(&mut random, &mut schemas);
            let lasts = Duration::from_millis(random.random_range(range));
            steps.push(Step { lane, at, lasts, kind });
            at += lasts + Duration::from_millis(random.random_range(PAUSE));
        }
    }
    steps
}

/// Returns one fault for each minute of `duration`, determined by `seed`: for a soak, whose processes are observed.
///
/// Only the last receiver and the last indexer are stopped and killed, so that the others run from the start to the end.
/// Retention deletes nothing, since the audit would keep each of the many records until the end.
pub fn one_a_minute(seed: u64, duration: Duration) -> Vec<Step> {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut steps, mut schemas) = (Vec::new(), 0);
    let mut at = Duration::from_millis(HEAD_START);
    while at < duration {
        let lane = one_of(&Lane::ALL, &mut random);
        let (kind, range) = lane.draw(&mut random, &mut schemas);
        if matches!(kind, Kind::Retention(_)) {
            continue;
        }
        let lasts = Duration::from_millis(random.random_range(range));
        steps.push(Step { lane, at, lasts, kind: spare_all_but_the_last(kind) });
        at += MINUTE;
    }
    steps
}

/// Returns `kind` for the last service of its kind if it ends a process.
fn spare_all_but_the_last(kind: Kind) -> Kind {
    match kind {
        Kind::Service(Service::Receiver(_), loss @ (Loss::Stop | Loss::Kill)) => {
            Kind::Service(Service::Receiver(SERVICES - 1), loss)
        }
        Kind::Service(Service::Indexer(_), loss @ (Loss::Stop | Loss::Kill)) => {
            Kind::Service(Service::Indexer(SERVICES - 1), loss)
        }
        _ => kind,
    }
}

fn service(random: &mut StdRng) -> (Kind, std::ops::Range<u64>) {
    let number = random.random_range(0..SERVICES);
    let service = match random.random_bool(0.6) {
        true => Service::Indexer(number),
        false => Service::Receiver(number),
    };
    let (loss, range) = match random.random_range(0..6) {
        0..3 => (Loss::Kill, 10..3_000),
        // The pause exceeds the session time-out.
        3 => (Loss::Pause, 8_000..15_000),
        _ => (Loss::Stop, 10..2_000),
    };
    (Kind::Service(service, loss), range)
}

fn kafka(random: &mut StdRng) -> (Kind, std::ops::Range<u64>) {
    let number = random.random_range(1..=MEMBERS);
    match random.random_range(0..7) {
        0 | 1 => (Kind::Leader, 1_000..10_000),
        2 => (Kind::Quorum(number), 2_000..12_000),
        3 => (Kind::Broker(number, Loss::Stop), 1_000..10_000),
        4 => (Kind::Broker(number, Loss::Kill), 1_000..10_000),
        _ => (Kind::Broker(number, Loss::Pause), 3_000..12_000),
    }
}

fn search(random: &mut StdRng) -> (Kind, std::ops::Range<u64>) {
    let number = random.random_range(1..=MEMBERS);
    match random.random_range(0..20) {
        0 => (Kind::Node(number, Loss::Kill), 1_000..15_000),
        1 => (Kind::Node(number, Loss::Stop), 1_000..15_000),
        2 => (Kind::Node(number, Loss::Pause), 3_000..20_000),
        3 => (Kind::FullQueue(number), 5_000..20_000),
        4 => (Kind::ReadOnly(Which::Newest), 1_000..8_000),
        5 => (Kind::ReadOnly(Which::Oldest), 1_000..8_000),
        6 => (Kind::Close(Which::Newest), 1_000..8_000),
        7 => (Kind::Close(Which::Oldest), 1_000..8_000),
        8 => (Kind::Delete, 1..1_000),
        9 => (Kind::Template, 1_000..5_000),
        10 => (Kind::StrictMapping, 1_000..5_000),
        11 => (Kind::RollOver(Some(random.random_range(100..2_000))), 500..6_000),
        12 => (Kind::Copied(Copying::Clone), 1..1_000),
        13 => (Kind::Copied(Copying::Reindex), 1..1_000),
        14 => (Kind::Copied(Copying::Restore), 1..1_000),
        15 => (Kind::FullDisk, 1_000..10_000),
        16 => (Kind::Alias, 1_000..8_000),
        _ => (Kind::RollOver(None), 500..6_000),
    }
}

fn network(random: &mut StdRng) -> (Kind, std::ops::Range<u64>) {
    let member = random.random_range(0..usize::from(MEMBERS));
    let wire = match random.random_range(0..8) {
        0..2 => Wire::Receiver(random.random_range(0..SERVICES)),
        2..5 => Wire::Broker(member),
        5..7 => Wire::Node(member),
        _ => Wire::Registry(random.random_range(0..usize::from(REGISTRIES))),
    };
    let weather = match random.random_range(0..6) {
        0 => Weather::Slow(Duration::from_millis(random.random_range(20..800))),
        1 => Weather::Narrow(random.random_range(5_000..100_000)),
        2 => Weather::Silent,
        3 => Weather::Mute,
        _ => Weather::Cut,
    };
    (Kind::Weather(wire, weather), 200..12_000)
}

fn contract(random: &mut StdRng, schemas: &mut u32) -> (Kind, std::ops::Range<u64>) {
    let kind = match random.random_range(0..8) {
        0 | 1 if *schemas < SCHEMAS => Kind::Schema,
        2 if *schemas == 0 => Kind::Contradiction,
        3 => Kind::Partition,
        4 | 5 => Kind::Registry(Loss::Kill),
        _ => Kind::Token,
    };
    match kind {
        Kind::Schema | Kind::Contradiction => {
            *schemas += 1;
            (kind, 1_000..6_000)
        }
        Kind::Registry(_) => (kind, 1_000..15_000),
        // Lasts at least until a receiver notices.
        _ => (kind, 6_000..10_000),
    }
}

fn time(random: &mut StdRng) -> (Kind, std::ops::Range<u64>) {
    let number = random.random_range(0..SERVICES);
    let kind = match random.random_range(0..10) {
        0..3 => Kind::Clock(Clock::Sender, one_of(&SENDER_STEPS, random)),
        3..5 => Kind::Clock(Clock::Of(Service::Receiver(number)), one_of(&RECEIVER_STEPS, random)),
        5..8 => Kind::Clock(Clock::Of(Service::Indexer(number)), one_of(&INDEXER_STEPS, random)),
        8 => Kind::Retention(Records::Committed),
        _ => Kind::Retention(Records::All),
    };
    (kind, 2_000..12_000)
}

fn one_of<T: Copy>(choices: &[T], random: &mut StdRng) -> T {
    choices[random.random_range(0..choices.len())]
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, lasts) = (self.at.as_secs_f64(), self.lasts.as_secs_f64());
        write!(f, "{at:6.1} s, {lasts:4.1} s long: {}", self.kind)
    }
}

#[cfg(test)]
mod tests;
