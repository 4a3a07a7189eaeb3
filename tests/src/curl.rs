//! Runs the real `curl`, as a person would in a terminal.

use std::process::{Command, Output, Stdio};

use anyhow::Context;

/// The result of a call.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The status of the answer; 0 without an answer.
    pub status: u16,
    /// The version of HTTP, such as `2`.
    pub version: String,
    /// The body.
    pub body: String,
    /// curl's message about a failure.
    pub error: String,
}

/// Runs `curl` with `arguments`, which end with the address.
///
/// # Errors
/// If curl is missing. A missing answer is not an error.
pub async fn curl(arguments: &[&str]) -> anyhow::Result<Outcome> {
    const WRITTEN: &str = "\n%{http_code} %{http_version}";
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--max-time", "30", "--noproxy", "*", "--write-out", WRITTEN])
        .args(arguments);
    let output = output(command).await.context("curl cannot be run: install it")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, end) = said.rsplit_once('\n').context("curl wrote nothing")?;
    let (status, version) = end.split_once(' ').with_context(|| format!("curl wrote {end:?}"))?;
    Ok(Outcome {
        status: status.parse().unwrap_or(0),
        version: version.to_owned(),
        body: body.to_owned(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs lines of a shell script with `variables`, and returns their output.
///
/// # Errors
/// If the script fails. The message contains its output.
pub async fn shell(lines: &str, variables: &[(&str, &str)]) -> anyhow::Result<String> {
    let mut command = Command::new("bash");
    command.args(["-eu", "-o", "pipefail", "-c", lines]).envs(variables.iter().copied()).env("NO_PROXY", "*");
    let output = output(command).await.context("bash cannot be run")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(output.status.success(), "{lines}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

async fn output(mut command: Command) -> anyhow::Result<Output> {
    command.stdin(Stdio::null());
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}
