//! The resource usage of a process: CPU time and memory, from Linux (proc(5)).

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Clock ticks per second in /proc: `USER_HZ`, which is 100 on every current platform of Linux.
const TICKS: f64 = 100.0;

/// The resource usage of a process since its start.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// CPU time of all its threads, including ended ones, in user mode and in the kernel, in seconds.
    pub cpu_seconds: f64,
    /// The largest resident set so far, in bytes.
    pub peak_bytes: u64,
}

impl Usage {
    /// Returns the usage of the process `id`.
    ///
    /// # Errors
    /// If it has ended.
    pub fn of(id: u32) -> anyhow::Result<Self> {
        let folder = PathBuf::from(format!("/proc/{id}"));
        let kilobytes = number(&read(&folder.join("status"))?, "VmHWM")?;
        Ok(Self { cpu_seconds: cpu_seconds(&folder.join("stat"))?, peak_bytes: kilobytes * 1024 })
    }

    /// Returns the usage of this process.
    ///
    /// # Errors
    /// If the system does not provide it.
    pub fn of_this_process() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }
}

/// Returns the CPU time of the calling thread only, in seconds.
///
/// # Errors
/// If the system does not provide it.
pub fn thread_cpu_seconds() -> anyhow::Result<f64> {
    cpu_seconds(Path::new("/proc/thread-self/stat"))
}

/// Fails if the usage of other processes cannot be read.
///
/// # Errors
/// Says what is required.
pub fn ensure_known() -> anyhow::Result<()> {
    Usage::of_this_process().map(drop).context("the bench needs Linux: it reads CPU time and memory from /proc")
}

fn cpu_seconds(stat: &Path) -> anyhow::Result<f64> {
    let text = read(stat)?;
    // The second field is the program's name in parentheses, which may contain anything; the other fields come after
    // the last parenthesis.
    let (_, fields) = text.rsplit_once(')').context("no program name in /proc/PID/stat")?;
    let mut fields = fields.split_ascii_whitespace();
    // Fields 14 and 15 are utime and stime; the first field after the name is number 3.
    let user: u64 = fields.nth(11).context("no utime in /proc/PID/stat")?.parse()?;
    let system: u64 = fields.next().context("no stime in /proc/PID/stat")?.parse()?;
    Ok((user + system) as f64 / TICKS)
}

/// Returns the number in the line `name` of `status`, the text of `/proc/PID/status`. Sizes are in KiB (proc(5)).
pub(crate) fn number(status: &str, name: &str) -> anyhow::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_ascii_whitespace().next());
    Ok(number.with_context(|| format!("no {name} in /proc/PID/status"))?.parse()?)
}

/// Returns the text of the file at `path`.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests;
