//! What a process has used: CPU time and memory, as Linux counts them (proc(5)).

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Clock ticks in a second, in what /proc tells: `USER_HZ`, which is 100 on every platform of today's Linux.
const TICKS: f64 = 100.0;

/// What a process has used since it was started.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// CPU time of all its threads, those that have ended included, in user mode and in the kernel; in seconds.
    pub cpu_seconds: f64,
    /// The largest resident set so far, in bytes.
    pub peak_bytes: u64,
}

impl Usage {
    /// Returns what the process `id` has used.
    ///
    /// # Errors
    /// When it has ended.
    pub fn of(id: u32) -> anyhow::Result<Self> {
        let folder = PathBuf::from(format!("/proc/{id}"));
        let status = read(&folder.join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")).context("no VmHWM in /proc/PID/status")?;
        let kilobytes: u64 = kilobytes.trim().parse()?;
        Ok(Self { cpu_seconds: cpu_seconds(&folder.join("stat"))?, peak_bytes: kilobytes * 1024 })
    }

    /// Returns what this process has used.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn of_this_process() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }
}

/// CPU time of the calling thread alone, in seconds.
///
/// # Errors
/// When the system does not tell.
pub fn thread_cpu_seconds() -> anyhow::Result<f64> {
    cpu_seconds(Path::new("/proc/thread-self/stat"))
}

/// Fails where CPU time and memory of another process cannot be known.
///
/// # Errors
/// With what is needed.
pub fn ensure_known() -> anyhow::Result<()> {
    Usage::of_this_process().map(drop).context("the bench needs Linux: it reads CPU time and memory from /proc")
}

fn cpu_seconds(stat: &Path) -> anyhow::Result<f64> {
    let text = read(stat)?;
    // The second field is the program's name in parentheses, which may hold anything; what counts stands after the last
    // one.
    let (_, fields) = text.rsplit_once(')').context("no program name in /proc/PID/stat")?;
    let mut fields = fields.split_ascii_whitespace();
    // Fields 14 and 15, utime and stime; the first after the name is number 3.
    let user: u64 = fields.nth(11).context("no utime in /proc/PID/stat")?.parse()?;
    let system: u64 = fields.next().context("no stime in /proc/PID/stat")?.parse()?;
    Ok((user + system) as f64 / TICKS)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests;
