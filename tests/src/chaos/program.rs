//! A receiver or an indexer under faults. It keeps its ports, its config and its log.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;

use crate::config::Config;
use crate::eventually::eventually;
use crate::faketime::FakeClock;
use crate::held::Resources;
use crate::http;
use crate::pipeline::{Pipeline, ready};
use crate::ports;
use crate::process::{Binary, Process, write_config};
use crate::usage::Usage;

/// Runs one of the services.
pub struct Program {
    binary: Binary,
    config: PathBuf,
    log: PathBuf,
    port: u16,
    admin_url: String,
    process: Option<Process>,
    peak_bytes: u64,
    /// `None` if its clock cannot be set here.
    clock: Option<FakeClock>,
}

impl Program {
    /// Starts service `number` of this kind. Does not wait until it is ready.
    ///
    /// # Errors
    /// If it cannot be started. The same holds for each function here.
    pub fn start(pipeline: &Pipeline, binary: Binary, number: usize) -> anyhow::Result<Self> {
        let (port, admin) = (ports::free()?, ports::free()?);
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut config: Config = pipeline.config.clone();
        config.receiver.listen = local(port);
        config.receiver.admin_listen = local(admin);
        config.indexer.admin_listen = local(admin);
        let name = format!("{}-{number}", binary.name());
        let path = pipeline.file(&format!("{name}.yaml"));
        write_config(&config, &path)?;
        let (log, admin_url) = (pipeline.file(&format!("{name}.log")), format!("http://127.0.0.1:{admin}"));
        let clock = FakeClock::new(&pipeline.file(&format!("{name}.clock")))?;
        let mut program = Self { binary, config: path, log, port, admin_url, process: None, peak_bytes: 0, clock };
        program.start_again()?;
        Ok(program)
    }

    /// Starts the service again after it has ended.
    ///
    /// # Errors
    /// As for [`Program::start`].
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let environment = self.clock.as_ref().map(FakeClock::environment).unwrap_or_default();
        self.process = Some(Process::start(self.binary, &self.config, &environment, &self.log)?);
        Ok(())
    }

    /// Kills the service with `kill -9`.
    ///
    /// # Errors
    /// Also if it has already ended by itself.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.running()?.kill()?;
        self.forget();
        Ok(())
    }

    /// Sets its clock ahead by this many milliseconds, also for later starts. Returns whether that is possible here.
    ///
    /// # Errors
    /// If the clock cannot be set.
    pub fn set_clock(&self, ahead: i64) -> anyhow::Result<bool> {
        match &self.clock {
            Some(clock) => clock.set(ahead).map(|()| true),
            None => Ok(false),
        }
    }

    /// Sends SIGTERM once the service answers at its admin port, and waits until it has ended with 0. A service that
    /// has just started has no handler yet, so the signal itself would end it.
    ///
    /// # Errors
    /// Also if it ends in another way.
    pub async fn terminate(&mut self) -> anyhow::Result<()> {
        let pages = format!("{}/metrics", self.admin_url);
        eventually(&format!("{pages} answers"), || async { http::get(&pages).await.map(drop) }).await?;
        let process = self.running()?;
        process.terminate()?;
        let status = process.ended().await?;
        anyhow::ensure!(status.success(), "{status}\n{}", process.last_lines());
        self.process = None;
        Ok(())
    }

    /// Sends the signal of this name: `STOP` or `CONT`.
    ///
    /// # Errors
    /// Also if it has already ended by itself.
    pub fn signal(&mut self, name: &str) -> anyhow::Result<()> {
        self.running()?.signal(name)
    }

    /// Waits until the service is ready.
    ///
    /// # Errors
    /// If it does not become ready, or has ended.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        self.running()?;
        ready(&self.admin_url).await.with_context(|| crate::process::last_lines(&self.log))
    }

    /// Returns its process and what that holds, unless it has ended.
    pub fn resources(&self) -> Option<(u32, Resources)> {
        let id = self.process.as_ref()?.id();
        Some((id, Resources::of(id).ok()?))
    }

    /// Returns the port for webhooks.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the largest resident set of any of its processes, in bytes.
    pub fn peak_bytes(&mut self) -> u64 {
        if let Some(usage) = self.process.as_ref().and_then(|process| Usage::of(process.id()).ok()) {
            self.peak_bytes = self.peak_bytes.max(usage.peak_bytes);
        }
        self.peak_bytes
    }

    /// Ends its process, if there is one, and removes what the clock leaves behind.
    fn forget(&mut self) {
        let Some(process) = self.process.take() else { return };
        let id = process.id();
        drop(process);
        if let Some(clock) = &self.clock {
            clock.forget(id);
        }
    }

    fn running(&mut self) -> anyhow::Result<&mut Process> {
        self.peak_bytes();
        let process = self.process.as_mut().with_context(|| format!("{} was not started", self.log.display()))?;
        process.ensure_running().context("it ended by itself")?;
        Ok(process)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.forget();
    }
}
