//! What a process holds at one time, from Linux (proc(5)).

use std::path::PathBuf;

use serde::Serialize;

use crate::usage;

/// The memory, files and threads of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// The resident set, in bytes.
    pub resident_bytes: u64,
    /// The number of open file descriptors: files, sockets, pipes.
    pub open_files: u64,
    /// The number of threads.
    pub threads: u64,
}

impl Resources {
    /// Returns what the process `id` holds.
    ///
    /// # Errors
    /// If it has ended.
    pub fn of(id: u32) -> anyhow::Result<Self> {
        let folder = PathBuf::from(format!("/proc/{id}"));
        let status = usage::read(&folder.join("status"))?;
        let (kilobytes, threads) = (usage::number(&status, "VmRSS")?, usage::number(&status, "Threads")?);
        let open_files = u64::try_from(std::fs::read_dir(folder.join("fd"))?.count())?;
        Ok(Self { resident_bytes: kilobytes * 1024, open_files, threads })
    }
}

#[cfg(test)]
mod tests;
