//! Measures peak memory, from Linux (proc(5)).

use anyhow::Context;

/// Holds the memory in use at the beginning.
pub(super) struct Memory {
    before: u64,
}

impl Memory {
    /// Begins to measure.
    ///
    /// # Errors
    /// If the system does not provide the figure.
    pub(super) fn begin() -> anyhow::Result<Self> {
        // Resets the peak to the current value.
        std::fs::write("/proc/self/clear_refs", "5").context("cannot reset VmHWM")?;
        Ok(Self { before: peak()? })
    }

    /// Returns the peak since then, in addition to the memory at the beginning, in bytes.
    ///
    /// # Errors
    /// If the system does not provide the figure.
    pub(super) fn more(&self) -> anyhow::Result<u64> {
        Ok(peak()?.saturating_sub(self.before))
    }
}

fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}
