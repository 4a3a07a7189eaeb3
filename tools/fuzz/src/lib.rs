//! The fuzzer for bytes that the receiver gets from outside: content encodings, forms, container files, datums.
//!
//! Each input depends only on a seed and its number, and on the corpus in `tests/corpus`: a run can be repeated, and a
//! finding is a number. The fuzzer knows the structure: after a change inside, it wraps the input again (compressed, in
//! blocks, framed), so that it passes checksums and lengths. A finding is a panic, an input that takes more than
//! [`MAX_TIME`], or one that takes more than [`MAX_MEMORY`] of additional memory.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::SeedableRng;
use rand::rngs::StdRng;
use receiver::ingest_offline::{OfflineIngest, Verdict};

use harness::paths;
pub use input::Input;
use memory::Memory;

mod input;
mod memory;
mod mutate;
pub mod seeds;
pub mod texts;

/// The time limit for one input.
pub const MAX_TIME: Duration = Duration::from_millis(100);
/// The memory limit for one input, in bytes.
pub const MAX_MEMORY: u64 = 64 << 20;

/// The largest body after decompression. Time grows with it (bzip2 decompresses some 50 MB a second), so it is less
/// than the 16 MiB of the defaults.
const MAX_DECOMPRESSED: usize = 1 << 20;

/// The number of inputs between two checks of the memory.
const ROUND: u64 = 128;

/// The longest input that is added to the corpus.
const MAX_KEPT: usize = 2_048;

/// Says how long to run, where to begin, and whether to keep new inputs.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The seed of all inputs.
    pub seed: u64,
    /// The number of the first input.
    pub first: u64,
    /// How long to run.
    pub time: Duration,
    /// Whether to add inputs with a new verdict to the corpus.
    pub keep: bool,
}

/// Summarises a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The number of inputs.
    pub inputs: u64,
    /// The number of accepted inputs.
    pub accepted: u64,
    /// The longest time for one input.
    pub longest: Duration,
    /// The most additional memory of one round, in bytes.
    pub most_memory: u64,
    /// Each verdict once.
    pub verdicts: BTreeSet<String>,
}

/// Holds the schemas for bodies, each with its key field.
pub struct Target {
    examiners: Vec<OfflineIngest>,
}

impl Target {
    /// Compiles the schemas.
    ///
    /// # Errors
    /// If a schema is invalid.
    pub fn new() -> anyhow::Result<Self> {
        let compile = |(schema, key): &(&str, Option<&str>)| OfflineIngest::new(schema, *key, MAX_DECOMPRESSED);
        Ok(Self { examiners: seeds::SCHEMAS.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Examines one input.
    ///
    /// # Errors
    /// If it panics.
    pub fn examine(&self, input: &Input) -> anyhow::Result<Verdict> {
        let examiner = &self.examiners[usize::from(input.schema) % self.examiners.len()];
        let examine = || examiner.ingest(input.content_type(), input.content_encoding(), &input.body);
        catch_unwind(AssertUnwindSafe(examine)).map_err(|_| anyhow::anyhow!("it panics"))
    }

    /// Examines one input, and returns the time it took. If that seems long, repeats it and takes the shortest CPU
    /// time, since other processes use the machine too.
    ///
    /// # Errors
    /// If it panics or takes too long.
    pub fn time(&self, input: &Input) -> anyhow::Result<(Verdict, Duration)> {
        timed(|| self.examine(input))
    }
}

/// Examines an input, and returns the time it took; see [`Target::time`].
fn timed<T>(examine: impl Fn() -> anyhow::Result<T>) -> anyhow::Result<(T, Duration)> {
    const TIMES: usize = 5;
    let begin = Instant::now();
    let verdict = examine()?;
    let passed = begin.elapsed();
    if passed < MAX_TIME / 2 {
        return Ok((verdict, passed));
    }
    let mut shortest = passed;
    for _ in 0..TIMES {
        let begin = cpu_time()?;
        examine()?;
        shortest = shortest.min(cpu_time()?.saturating_sub(begin));
    }
    anyhow::ensure!(shortest <= MAX_TIME, "it takes {shortest:?}");
    Ok((verdict, shortest))
}

/// Returns the CPU time of this thread so far, from Linux (proc(5)).
fn cpu_time() -> anyhow::Result<Duration> {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").context("cannot read the CPU time of a thread")?;
    let nanoseconds = text.split_ascii_whitespace().next().context("no CPU time in schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Returns the folder of the corpus.
pub fn corpus_folder() -> PathBuf {
    paths::in_repository("tests/corpus")
}

/// Returns all inputs of the corpus, by their file names.
///
/// # Errors
/// If a file cannot be read.
pub fn corpus(folder: &Path) -> anyhow::Result<Vec<(PathBuf, Input)>> {
    let mut inputs = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let input =
                Input::decode(&std::fs::read(&path)?).with_context(|| format!("{} is not an input", path.display()))?;
            inputs.push((path, input));
        }
    }
    inputs.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(inputs)
}

/// Creates inputs and examines them until the time is up.
///
/// # Errors
/// The first finding. The message names a file with the input.
pub fn run(plan: Plan, say: impl Fn(&Report)) -> anyhow::Result<Report> {
    let target = Target::new()?;
    let folder = corpus_folder();
    let mut seeds = seeds::all()?;
    seeds.extend(corpus(&folder)?.into_iter().map(|(_, input)| input));
    let (mut report, begin, mut said) = (Report::default(), Instant::now(), Instant::now());
    let mut number = plan.first;
    while begin.elapsed() < plan.time {
        let memory = Memory::begin()?;
        for number in number..number + ROUND {
            let input = made(plan.seed, number, &seeds);
            let (verdict, time) = target.time(&input).map_err(|error| finding(error, plan.seed, number, &input))?;
            note(&mut report, &input, verdict, time, plan.keep.then_some(folder.as_path()))?;
        }
        let more = memory.more()?;
        if more > MAX_MEMORY {
            find_hungry(plan.seed, number, &seeds, &target)?;
        }
        report.most_memory = report.most_memory.max(more);
        number += ROUND;
        if said.elapsed() > Duration::from_secs(30) {
            said = Instant::now();
            say(&report);
        }
    }
    Ok(report)
}

/// Returns the input with this `number` for a seed.
pub fn made(seed: u64, number: u64, seeds: &[Input]) -> Input {
    let mut random = StdRng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mutate::mutated(&mut random, seeds)
}

fn note(
    report: &mut Report,
    input: &Input,
    verdict: Verdict,
    time: Duration,
    keep: Option<&Path>,
) -> anyhow::Result<()> {
    report.inputs += 1;
    report.longest = report.longest.max(time);
    report.accepted += u64::from(matches!(verdict, Verdict::Accepted(_)));
    let word = match verdict {
        Verdict::Accepted(count) => format!("accepted-{}", count.min(2)),
        Verdict::Refused(word, reason) => format!("{word}-{}", reason.unwrap_or("none")),
    };
    let name = format!("{}-{}-{word}", input.form_name(), input.coding_name());
    if report.verdicts.contains(&name) {
        return Ok(());
    }
    if let Some(folder) = keep.filter(|_| input.body.len() <= MAX_KEPT) {
        let path = folder.join(format!("{name}.bin"));
        if !path.exists() {
            std::fs::write(&path, input.encode()).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    report.verdicts.insert(name);
    Ok(())
}

/// Examines the inputs of a round one by one, to find the one that takes too much memory.
fn find_hungry(seed: u64, first: u64, seeds: &[Input], target: &Target) -> anyhow::Result<()> {
    for number in first..first + ROUND {
        let input = made(seed, number, seeds);
        let memory = Memory::begin()?;
        target.examine(&input)?;
        let more = memory.more()?;
        if more > MAX_MEMORY {
            return Err(finding(anyhow::anyhow!("it takes {more} bytes"), seed, number, &input));
        }
    }
    Ok(())
}

fn finding(error: anyhow::Error, seed: u64, number: u64, input: &Input) -> anyhow::Error {
    let path = paths::scratch().map(|folder| folder.join(format!("finding-{seed}-{number}.bin")));
    let written =
        path.and_then(|path| std::fs::write(&path, input.encode()).map(|()| path).map_err(anyhow::Error::from));
    let where_it_is = written.map_or_else(|error| error.to_string(), |path| path.display().to_string());
    error.context(format!(
        "input {number} of seed {seed}, {}, {}: {where_it_is}",
        input.content_type(),
        input.content_encoding()
    ))
}

#[cfg(test)]
mod tests;
