//! Runs one [`Part`](super::Part) of the bench in a child process of the same program.
//!
//! A child prints one line to stdout: a server prints its address when it listens, a floor prints its sample at the
//! end. A child ends when its stdin is closed, and so with its parent in any case.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{ChildStdout, Command, Stdio};

use anyhow::Context;

/// A running child. Killed when dropped.
pub(super) struct Child {
    process: std::process::Child,
    output: Option<ChildStdout>,
}

impl Child {
    /// Starts this program with `arguments`, beginning with the name of the part.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("the path of this program")?;
        let mut process = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let output = process.stdout.take();
        Ok(Self { process, output })
    }

    /// Starts a server like [`Child::start`], and returns its address as well.
    ///
    /// # Errors
    /// If it does not start. Its messages are on stderr.
    pub(super) async fn server(arguments: &[&str]) -> anyhow::Result<(Self, SocketAddr)> {
        let mut child = Self::start(arguments)?;
        let address = child.line().await.with_context(|| arguments.join(" "))?;
        Ok((child, address.parse()?))
    }

    /// Returns the line that the child prints.
    ///
    /// # Errors
    /// If the child ends without a line, or the line was read already.
    pub(super) async fn line(&mut self) -> anyhow::Result<String> {
        let output = self.output.take().context("it has said its line")?;
        let read = move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map(|_| line)
        };
        let line = tokio::task::spawn_blocking(read).await??;
        anyhow::ensure!(line.ends_with('\n'), "it has ended too early");
        Ok(line.trim_end().to_owned())
    }

    /// Returns the process id.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The process may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Prints the line of a child to its parent.
pub(super) fn say(line: &impl std::fmt::Display) {
    println!("{line}");
}

/// Ends the child process when the parent ends.
pub(super) fn end_with_parent() {
    std::thread::spawn(|| {
        // The parent never writes to stdin, so this waits until it is closed.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        std::process::exit(0);
    });
}
