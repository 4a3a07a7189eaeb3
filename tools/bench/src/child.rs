//! This program again, as a process of its own that does one [`Part`](super::Part).
//!
//! A child says one line on stdout: a server its address when it listens, a floor its sample at the end. It ends when
//! its stdin does, and so with its parent, however that ends.

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
    /// Starts this program with `arguments`, the first being the part's name.
    ///
    /// # Errors
    /// When it cannot be started.
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

    /// Starts a server; returns its address too.
    ///
    /// # Errors
    /// When it does not start; what it says is on stderr.
    pub(super) async fn server(part: &str) -> anyhow::Result<(Self, SocketAddr)> {
        let mut child = Self::start(&[part])?;
        let address = child.line().await.with_context(|| part.to_owned())?;
        Ok((child, address.parse()?))
    }

    /// Returns the line it says.
    ///
    /// # Errors
    /// When it ends without, or has said it already.
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

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to do.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// In a child: says the line.
pub(super) fn say(line: &impl std::fmt::Display) {
    println!("{line}");
}

/// In a child: ends the process when the parent does.
pub(super) fn end_with_parent() {
    std::thread::spawn(|| {
        // Nothing is ever written to it: this waits for its end.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        std::process::exit(0);
    });
}
