//! A Prometheus (Debian: package `prometheus`) that scrapes services of a test every second and evaluates the project's
//! rules.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::dashboards::RULES;
use crate::eventually::eventually;
use crate::{http, paths, ports};

/// A running Prometheus. Killed when dropped.
pub struct Prometheus {
    child: Child,
    url: String,
}

/// A target: its address as `host:port`, and the job name of its scrape config.
pub type Target<'a> = (&'a str, &'a str);

impl Prometheus {
    /// Starts a Prometheus with its data in `folder` that scrapes `targets`, and waits until each of them is up.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub async fn start(folder: &Path, targets: &[Target<'_>]) -> Result<Self> {
        let port = ports::free()?;
        let config = folder.join("prometheus.yml");
        // JSON is YAML.
        std::fs::write(&config, config_of(targets).to_string())?;
        let log = std::fs::File::create(folder.join("prometheus.log"))?;
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("prometheus cannot be started: is it installed? (Debian: apt-get install prometheus)")?;
        let this = Self { child, url: format!("http://127.0.0.1:{port}") };
        eventually("Prometheus has scraped all targets", || async {
            let up = this.query("sum(up)").await?;
            let count: f64 = up.first().and_then(|value| value.parse().ok()).unwrap_or_default();
            ensure!(count == targets.len() as f64, "{count} of {} are up", targets.len());
            Ok(())
        })
        .await?;
        Ok(this)
    }

    /// Returns the current values of `expression` that are numbers.
    ///
    /// # Errors
    /// If Prometheus refuses it.
    pub async fn query(&self, expression: &str) -> Result<Vec<String>> {
        let answer = self.get(&format!("/api/v1/query?query={}", escaped(expression))).await?;
        let samples = answer["data"]["result"].as_array().with_context(|| format!("{expression}: {answer}"))?;
        let values = samples.iter().filter_map(|sample| sample["value"][1].as_str());
        Ok(values.filter(|value| *value != "NaN").map(str::to_owned).collect())
    }

    /// Returns all rules with Prometheus' evaluation.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn rules(&self) -> Result<Vec<Value>> {
        let answer = self.get("/api/v1/rules").await?;
        let groups = answer["data"]["groups"].as_array().cloned().unwrap_or_default();
        Ok(groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default()).collect())
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let answer = http::get(&format!("{}{path}", self.url)).await?;
        ensure!(answer.status == 200, "{path}: {}: {}", answer.status, answer.text());
        answer.json()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn config_of(targets: &[Target<'_>]) -> Value {
    let jobs: Vec<Value> = targets
        .iter()
        .map(|(address, name)| {
            let labels = json!({"namespace": "test"});
            json!({"job_name": name, "static_configs": [{"targets": [address], "labels": labels}]})
        })
        .collect();
    json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [paths::in_repository(RULES)],
        "scrape_configs": jobs,
    })
}

/// Returns `text` as a part of a query string (RFC 3986: reserved characters are escaped).
fn escaped(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let escape = |byte: u8| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}
