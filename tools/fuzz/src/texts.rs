//! The fuzzer for inputs other than bodies: texts of schemas, headers of container files, heads of requests, and their
//! signatures.
//!
//! An input is a file in `tests/corpus/KIND`. Findings are the same as for bodies, plus two more: a schema that
//! apache-avro reads differently (another fingerprint, or a datum that only one of the two accepts), and an accepted
//! signature for a body that was never signed.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::Context;
use avro::{Container, ContainerError, Schema};
use clap::ValueEnum;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use receiver::ingest_offline::{OfflineSignatures, Signature, ingest_head};

use crate::memory::Memory;
use crate::{MAX_MEMORY, Plan, ROUND, Report, corpus_folder, mutate, timed};
use harness::paths;

mod judge;
mod seeds;

/// The kinds of inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The text of a schema.
    Schema,
    /// An object container file, mostly its header.
    Header,
    /// The head of a request, after a PROXY protocol header.
    Head,
    /// A request with a signature.
    Signature,
}

/// The time at which signatures are checked, in seconds since the Unix epoch.
const NOW: u64 = 1_700_000_000;

/// The longest input, in bytes.
const LONGEST: usize = 16 * 1024;
/// The longest input that is added to the corpus, in bytes.
const MAX_KEPT: usize = 4_096;

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Schema, Self::Header, Self::Head, Self::Signature];

    /// Returns the name of the kind and of its folder in the corpus.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Header => "header",
            Self::Head => "head",
            Self::Signature => "signature",
        }
    }
}

/// Examines inputs of one kind.
pub struct Target {
    kind: Kind,
    signatures: OfflineSignatures,
    /// The bodies that were signed.
    signed: BTreeSet<Vec<u8>>,
    seeds: Vec<Vec<u8>>,
}

impl Target {
    /// Creates a target for inputs of this kind.
    ///
    /// # Errors
    /// If a seed cannot be created.
    pub fn new(kind: Kind) -> anyhow::Result<Self> {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let signatures = OfflineSignatures::new(&seeds::ways()?, now).map_err(anyhow::Error::msg)?;
        let seeds = seeds::of(kind)?;
        Ok(Self { kind, signatures, signed: seeds::BODIES.iter().map(|body| body.to_vec()).collect(), seeds })
    }

    /// Examines one input, and returns the verdict as a word.
    ///
    /// # Errors
    /// If it is a finding.
    pub fn examine(&self, input: &[u8]) -> anyhow::Result<String> {
        let examine = || match self.kind {
            Kind::Schema => judge::schema(input),
            Kind::Header => Ok(header(input)),
            Kind::Head => Ok(ingest_head(input)),
            Kind::Signature => self.signature(input),
        };
        catch_unwind(AssertUnwindSafe(examine)).map_err(|_| anyhow::anyhow!("it panics"))?
    }

    /// Examines an input of two parts: the number of the signing method, then the request.
    fn signature(&self, input: &[u8]) -> anyhow::Result<String> {
        let Some((number, request)) = input.split_first() else { return Ok("none".to_owned()) };
        Ok(match self.signatures.check(usize::from(*number), request) {
            Signature::None => "none".to_owned(),
            Signature::Head => format!("{number}-head"),
            Signature::Body => format!("{number}-body"),
            Signature::Accepted(body) => {
                anyhow::ensure!(self.signed.contains(&body), "a body is accepted that nobody has signed");
                format!("{number}-accepted")
            }
        })
    }
}

/// Opens a file and reads its blocks without decoding them.
fn header(input: &[u8]) -> String {
    let word =
        |error: &ContainerError| format!("{:?}", error.kind).chars().take_while(char::is_ascii_alphanumeric).collect();
    let mut container = match Container::open(input) {
        Ok(container) => container,
        Err(error) => return word(&error),
    };
    let usable = Schema::parse(container.schema()).is_ok();
    let mut blocks = 0_u32;
    loop {
        match container.next_block() {
            Ok(Some(_)) => blocks += 1,
            Ok(None) => return format!("{}-{usable}", blocks.min(2)),
            Err(error) => return format!("{}-{usable}", word(&error)),
        }
    }
}

/// Returns the inputs of the corpus, by their file names.
///
/// # Errors
/// If a file cannot be read.
pub fn corpus(kind: Kind) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let folder = corpus_folder().join(kind.name());
    let mut inputs = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let input = std::fs::read(&path)?;
        inputs.push((path, input));
    }
    inputs.sort();
    Ok(inputs)
}

/// Creates inputs of this kind and examines them until the time is up.
///
/// # Errors
/// The first finding. The message names a file with the input.
pub fn run(kind: Kind, plan: Plan, say: impl Fn(&Report)) -> anyhow::Result<Report> {
    let target = Target::new(kind)?;
    let folder = corpus_folder().join(kind.name());
    let mut seeds = target.seeds.clone();
    seeds.extend(corpus(kind).unwrap_or_default().into_iter().map(|(_, input)| input));
    let (mut report, begin, mut said, mut number) = (Report::default(), Instant::now(), Instant::now(), plan.first);
    for (index, seed) in seeds.iter().enumerate() {
        let verdict = target.examine(seed).with_context(|| format!("seed {index}"))?;
        note(&mut report, seed, verdict, plan.keep.then_some(folder.as_path()))?;
    }
    while begin.elapsed() < plan.time {
        let memory = Memory::begin()?;
        for number in number..number + ROUND {
            let input = made(kind, plan.seed, number, &seeds);
            let (verdict, time) =
                timed(|| target.examine(&input)).map_err(|error| finding(error, kind, plan.seed, number, &input))?;
            report.longest = report.longest.max(time);
            note(&mut report, &input, verdict, plan.keep.then_some(folder.as_path()))?;
        }
        let more = memory.more()?;
        report.most_memory = report.most_memory.max(more);
        anyhow::ensure!(more <= MAX_MEMORY, "the inputs from {number} of seed {} take {more} bytes", plan.seed);
        number += ROUND;
        if said.elapsed() > Duration::from_secs(30) {
            said = Instant::now();
            say(&report);
        }
    }
    Ok(report)
}

/// Returns the input with this `number` for a seed.
pub fn made(kind: Kind, seed: u64, number: u64, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let random = &mut random;
    let mut input = seeds[random.random_range(0..seeds.len())].clone();
    for _ in 0..random.random_range(1..6) {
        change(kind, random, &mut input, seeds);
    }
    input.truncate(LONGEST);
    input
}

fn change(kind: Kind, random: &mut StdRng, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let pieces = seeds::pieces(kind);
    let at = random.random_range(0..=input.len());
    let until = if random.random_ratio(1, 2) { at } else { random.random_range(at..=input.len()).min(at + 40) };
    match random.random_range(0..6) {
        0 => {
            let other = &seeds[random.random_range(0..seeds.len())];
            let from = random.random_range(0..=other.len());
            input.splice(at..until, other[from..].iter().take(256).copied());
        }
        1 | 2 => mutate::change(random, input, &[]),
        _ => {
            let piece = pieces[random.random_range(0..pieces.len())];
            let times = if random.random_ratio(1, 10) { 1 << random.random_range(1..9) } else { 1 };
            input.splice(at..until, piece.repeat(times));
        }
    }
}

fn note(report: &mut Report, input: &[u8], verdict: String, keep: Option<&Path>) -> anyhow::Result<()> {
    report.inputs += 1;
    report.accepted += u64::from(verdict.contains("accepted") || verdict.contains("usable"));
    if report.verdicts.contains(&verdict) {
        return Ok(());
    }
    if let Some(folder) = keep.filter(|_| input.len() <= MAX_KEPT) {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("{verdict}.bin"));
        if !path.exists() {
            std::fs::write(&path, input).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    report.verdicts.insert(verdict);
    Ok(())
}

fn finding(error: anyhow::Error, kind: Kind, seed: u64, number: u64, input: &[u8]) -> anyhow::Error {
    let path = paths::scratch().map(|folder| folder.join(format!("finding-{}-{seed}-{number}.bin", kind.name())));
    let written = path.and_then(|path| std::fs::write(&path, input).map(|()| path).map_err(anyhow::Error::from));
    let where_it_is = written.map_or_else(|error| error.to_string(), |path| path.display().to_string());
    error.context(format!("{} {number} of seed {seed}: {where_it_is}", kind.name()))
}
