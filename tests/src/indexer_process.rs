//! An indexer as a separate process, for scenarios that kill it, add others, or check its memory and log.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;

use anyhow::Context;

use crate::config::Config;
use crate::pipeline::{Pipeline, metric, ready};
use crate::process::{Binary, Process, write_config};
use crate::usage::Usage;
use crate::{http, ports};

/// An indexer of a group. Killed when dropped.
pub struct IndexerProcess {
    config: PathBuf,
    log: PathBuf,
    admin_url: String,
    process: Process,
}

impl IndexerProcess {
    /// Starts indexer `number` of `pipeline`. Call [`crate::process::build`] before. Does not wait until it is ready.
    ///
    /// # Errors
    /// If it cannot be started. The same holds for each function here.
    pub fn start(pipeline: &Pipeline, number: usize) -> anyhow::Result<Self> {
        Self::start_with(pipeline, number, |_| ())
    }

    /// Starts an indexer like [`IndexerProcess::start`], with the pipeline's config after `change`.
    ///
    /// # Errors
    /// As for [`IndexerProcess::start`].
    pub fn start_with(pipeline: &Pipeline, number: usize, change: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        let port = ports::free()?;
        let mut config = pipeline.config.clone();
        config.indexer.admin_listen = SocketAddr::from(([127, 0, 0, 1], port));
        change(&mut config);
        let path = pipeline.file(&format!("indexer-{number}.yaml"));
        write_config(&config, &path)?;
        let log = pipeline.file(&format!("indexer-{number}.log"));
        let process = Process::start(Binary::Indexer, &path, &[], &log)?;
        Ok(Self { config: path, log, admin_url: format!("http://127.0.0.1:{port}"), process })
    }

    /// Kills it with `kill -9`, then starts it again.
    ///
    /// # Errors
    /// Also if it had already ended by itself.
    pub fn kill_and_start_again(&mut self) -> anyhow::Result<()> {
        self.kill()?;
        self.process = Process::start(Binary::Indexer, &self.config, &[], &self.log)?;
        Ok(())
    }

    /// Kills it with `kill -9`.
    ///
    /// # Errors
    /// Also if it had already ended by itself.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.ensure_running().context("an indexer ended by itself")?;
        self.process.kill()
    }

    /// Pauses it with SIGSTOP, with all its work in flight, until [`IndexerProcess::resume`].
    ///
    /// # Errors
    /// Also if it had already ended by itself.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.process.ensure_running().context("an indexer ended by itself")?;
        self.process.signal("STOP")
    }

    /// Resumes it with SIGCONT after [`IndexerProcess::pause`].
    ///
    /// # Errors
    /// If it has ended.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.process.signal("CONT")
    }

    /// Sends SIGTERM, and waits until it has ended with 0.
    ///
    /// # Errors
    /// Also if it ends in another way.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.process.terminate()?;
        let status = self.process.ended().await?;
        anyhow::ensure!(status.success(), "{status}\n{}", self.process.last_lines());
        Ok(())
    }

    /// Sends SIGTERM without waiting.
    ///
    /// # Errors
    /// If it has already ended.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.process.terminate()
    }

    /// Waits until it has ended by itself. Returns its exit status.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn ended(mut self) -> anyhow::Result<ExitStatus> {
        self.process.ended().await
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// If it does not become ready.
    pub async fn ready(&self) -> anyhow::Result<()> {
        ready(&self.admin_url).await.with_context(|| self.process.last_lines())
    }

    /// Returns `http://host:port` of its admin port.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Returns the value of a sample, see [`metric`].
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn metric(&self, sample: &str) -> anyhow::Result<f64> {
        metric(&self.admin_url, sample).await
    }

    /// Returns why it is not ready: the lines of `/readyz`. Empty if it is ready.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn unready(&self) -> anyhow::Result<String> {
        let answer = http::get(&format!("{}/readyz", self.admin_url)).await?;
        Ok(if answer.status == 200 { String::new() } else { answer.text() })
    }

    /// Returns its resource usage so far.
    ///
    /// # Errors
    /// If it has ended.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.process.id())
    }

    /// Returns how many lines of its log contain `text`.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn logged(&self, text: &str) -> anyhow::Result<usize> {
        self.logged_all(&[text])
    }

    /// Returns how many lines of its log contain all of `texts`.
    ///
    /// # Errors
    /// As for [`IndexerProcess::logged`].
    pub fn logged_all(&self, texts: &[&str]) -> anyhow::Result<usize> {
        let log = std::fs::read_to_string(&self.log).with_context(|| self.log.display().to_string())?;
        Ok(log.lines().filter(|line| texts.iter().all(|text| line.contains(text))).count())
    }
}
