//! CPU time, memory, threads and files of the process, under the names that all Prometheus client libraries use. The
//! values come from `/proc`, so these metrics exist only on Linux.
//!
//! The `prometheus` crate has such a collector too, but it counts CPU time in whole seconds, which is too coarse for a
//! rate over one minute. It also brings an older `rustix` into the build.

use prometheus::Result;

use super::Registry;

/// Registers the metrics of this process.
///
/// # Errors
/// If a name is taken.
#[cfg(target_os = "linux")]
pub fn process(registry: &Registry) -> Result<()> {
    registry.declare(super::Kind::Gauge, linux::Process::new()?)
}

/// Registers nothing, since this system has no `/proc`.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn process(_: &Registry) -> Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::process::{LimitValue, Process as Read};
    use procfs::{ProcResult, boot_time_secs, page_size, ticks_per_second};
    use prometheus::core::{Collector, Desc};
    use prometheus::proto::MetricFamily;
    use prometheus::{Counter, Gauge, Result};

    /// Holds the metrics of this process, read at each scrape.
    pub(super) struct Process {
        cpu: Counter,
        resident_memory: Gauge,
        virtual_memory: Gauge,
        open_fds: Gauge,
        max_fds: Gauge,
        threads: Gauge,
        start: Gauge,
    }

    impl Process {
        pub(super) fn new() -> Result<Self> {
            Ok(Self {
                cpu: Counter::new("process_cpu_seconds_total", "User and system CPU time of the process.")?,
                resident_memory: Gauge::new("process_resident_memory_bytes", "Resident memory of the process.")?,
                virtual_memory: Gauge::new("process_virtual_memory_bytes", "Virtual memory of the process.")?,
                open_fds: Gauge::new("process_open_fds", "Open file descriptors.")?,
                max_fds: Gauge::new("process_max_fds", "File descriptors that the process may have open.")?,
                threads: Gauge::new("process_threads", "Threads of the process.")?,
                start: Gauge::new("process_start_time_seconds", "Start of the process, since the Unix epoch.")?,
            })
        }

        /// Reads the values from the system. A value that cannot be read keeps its last state.
        fn read(&self) -> ProcResult<()> {
            let process = Read::myself()?;
            let stat = process.stat()?;
            let seconds = |ticks: u64| ticks as f64 / ticks_per_second() as f64;
            // If two scrapes overlap, the later one adds nothing.
            self.cpu.inc_by((seconds(stat.utime + stat.stime) - self.cpu.get()).max(0.0));
            self.resident_memory.set((stat.rss * page_size()) as f64);
            self.virtual_memory.set(stat.vsize as f64);
            self.threads.set(stat.num_threads as f64);
            self.start.set(boot_time_secs()? as f64 + seconds(stat.starttime));
            self.open_fds.set(process.fd_count()? as f64);
            if let LimitValue::Value(most) = process.limits()?.max_open_files.soft_limit {
                self.max_fds.set(most as f64);
            }
            Ok(())
        }

        fn parts(&self) -> [&dyn Collector; 7] {
            let Self { cpu, resident_memory, virtual_memory, open_fds, max_fds, threads, start } = self;
            [cpu, resident_memory, virtual_memory, open_fds, max_fds, threads, start]
        }
    }

    impl Collector for Process {
        fn desc(&self) -> Vec<&Desc> {
            self.parts().into_iter().flat_map(Collector::desc).collect()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            if let Err(error) = self.read() {
                tracing::debug!(%error, "Cannot read the figures of the process from /proc.");
            }
            self.parts().into_iter().flat_map(Collector::collect).collect()
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn all_figures_of_the_process_are_read() {
        let registry = Registry::new();
        process(&registry).unwrap();
        for family in registry.gather() {
            let metric = &family.get_metric()[0];
            let value = metric.get_gauge().get_value() + metric.get_counter().get_value();
            // CPU time may be less than one tick in such a short test.
            assert!(value > 0.0 || family.name() == "process_cpu_seconds_total", "{} is {value}", family.name());
        }
        assert_eq!(registry.gather().len(), 7);
    }
}
