//! The machine of the measurements.

use std::fmt;

use serde::Serialize;

/// Describes the machine of the measurements.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    cores: usize,
    cpu: String,
    load_average_at_start: String,
}

impl Machine {
    /// Returns the current state of this machine.
    pub(super) fn look() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let info = read("/proc/cpuinfo");
        let cpu = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load: Vec<String> = read("/proc/loadavg").split_whitespace().take(1).map(str::to_owned).collect();
        Self {
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            cpu: cpu.map_or("CPU of unknown make", |(_, name)| name).trim().to_owned(),
            load_average_at_start: load.concat(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cores, {}, load average {} before", self.cores, self.cpu, self.load_average_at_start)
    }
}
