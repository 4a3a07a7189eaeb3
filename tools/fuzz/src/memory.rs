//! How much memory something takes at its height, as Linux counts it (proc(5)).

use anyhow::Context;

/// What there was before.
pub(super) struct Memory {
    before: u64,
}

impl Memory {
    /// Begins to count.
    ///
    /// # Errors
    /// When the system does not tell.
    pub(super) fn begin() -> anyhow::Result<Self> {
        // The peak begins again at what there is now.
        std::fs::write("/proc/self/clear_refs", "5").context("cannot reset VmHWM")?;
        Ok(Self { before: peak()? })
    }

    /// Returns the most that there was since, on top of what there was then; in bytes.
    ///
    /// # Errors
    /// When the system does not tell.
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
