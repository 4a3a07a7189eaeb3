//! A service as a separate process, for tests that kill it and for the demo.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context;
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::eventually::eventually;
use crate::paths;

/// Names a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `penstock-receiver`.
    Receiver,
    /// `penstock-indexer`.
    Indexer,
}

/// A running service. Killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Binary {
    /// Returns the program's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receiver => "penstock-receiver",
            Self::Indexer => "penstock-indexer",
        }
    }
}

/// Builds both binaries in the profile of this program, once: `cargo test` builds only the libraries of other packages.
///
/// # Errors
/// If they do not build. The message contains the compiler's output.
pub async fn build() -> anyhow::Result<()> {
    static BUILT: OnceCell<()> = OnceCell::const_new();
    let build = || async { tokio::task::spawn_blocking(build_now).await? };
    BUILT.get_or_try_init(build).await.copied()
}

fn build_now() -> anyhow::Result<()> {
    let folder = paths::profile()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // The whole workspace, so that the dependencies have the same features as in the tests.
    command.args(["build", "--quiet", "--workspace"]).current_dir(paths::repository());
    for binary in [Binary::Receiver, Binary::Indexer] {
        command.args(["--bin", binary.name()]);
    }
    // These variables of cargo are not meant for another cargo. With them, the build scripts of some dependencies
    // (ring) would run again, here and in the next `cargo test`.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    if folder.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    let output = command.output().context("cargo cannot be run")?;
    anyhow::ensure!(output.status.success(), "cargo build: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Writes `config` as a config file. Secrets cannot be written, so the config must name files for them.
///
/// # Errors
/// If the file cannot be written.
pub fn write_config(config: &Config, path: &Path) -> anyhow::Result<()> {
    // JSON is YAML.
    let text = serde_json::to_string_pretty(config)?;
    anyhow::ensure!(!text.contains("[redacted]"), "the config holds a secret that cannot be written");
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The output and exit code of a command.
#[derive(Clone, Debug)]
pub struct Said {
    /// The exit code; `None` if a signal ended the command.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Said {
    /// Returns the last line of standard output as JSON.
    ///
    /// # Errors
    /// If it is not JSON. The message contains the whole output.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).with_context(|| format!("{self:?}"))
    }
}

/// Runs `binary` with the config file and `arguments` until it ends.
///
/// # Errors
/// If it cannot be started.
pub async fn command(binary: Binary, config: &Path, arguments: &[&str]) -> anyhow::Result<Said> {
    let mut command = Command::new(paths::profile()?.join(binary.name()));
    command.env("PENSTOCK_CONFIG", config).args(arguments).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await?.context("it cannot be started")?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) })
}

impl Process {
    /// Starts `binary` with the config file, and appends its output to `log`. `environment` is added to that of this
    /// process.
    ///
    /// The service has its own process group: Ctrl-C at a terminal reaches only the program that started it, which then
    /// stops it in an orderly way.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(binary: Binary, config: &Path, environment: &[(String, String)], log: &Path) -> anyhow::Result<Self> {
        Self::start_with(binary, config, &[], environment, log)
    }

    /// Starts a service like [`Process::start`], with `arguments` after the config file.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_with(
        binary: Binary,
        config: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let program = paths::profile()?.join(binary.name());
        let output = OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(&program)
            .arg("--config")
            .arg(config)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(File::try_clone(&output)?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it with `kill -9`, and waits until it has ended.
    ///
    /// # Errors
    /// If the wait fails.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends SIGTERM.
    ///
    /// # Errors
    /// If it has already ended.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal("TERM")
    }

    /// Sends the signal of this name, such as `STOP` or `CONT`.
    ///
    /// # Errors
    /// If it has already ended.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        // The standard library can only send KILL, and a single call does not justify a crate.
        let sent = Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status()?;
        anyhow::ensure!(sent.success(), "process {} cannot be signalled", self.id());
        Ok(())
    }

    /// Returns the end of its log, for an error message.
    pub fn last_lines(&self) -> String {
        last_lines(&self.log)
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// If it does not end. The message ends with the end of its log.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let child = std::sync::Mutex::new(&mut self.child);
        let ended = eventually("the process ends", || async {
            let mut child = child.lock().map_err(|_| anyhow::anyhow!("a panic while waiting"))?;
            child.try_wait()?.context("it still runs")
        });
        ended.await.with_context(|| last_lines(&self.log))
    }

    /// Fails if it has ended.
    ///
    /// # Errors
    /// States its exit status and the end of its log.
    pub fn ensure_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("it has ended with {status}\n{}", last_lines(&self.log)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Returns the end of a log, for an error message.
pub fn last_lines(log: &Path) -> String {
    const LINES: usize = 15;
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    format!("the last lines of {}:\n{}", log.display(), last.join("\n"))
}
