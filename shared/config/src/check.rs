//! Rules for config values beyond their types. All problems are reported together.
//!
//! A rule goes into the module of its section. A rule about two sections goes into the section that it protects.
//! No message repeats a value that may be a secret.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use service::telemetry::{self, Log};

use super::{Kafka, SchemaRegistry, Tracing};

mod kafka;
mod schema_registry;
mod tracing;

/// One problem with the config: the key, what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds the problems of the sections that both binaries read.
pub fn check_common(log: &Log, tracing: &Tracing, kafka: &Kafka, registry: &SchemaRegistry, problems: &mut Problems) {
    if let Err(error) = telemetry::filter(&log.level) {
        problems.add("log.level", error);
    }
    tracing::check(tracing, problems);
    kafka::check(kafka, problems);
    schema_registry::check(registry, problems);
}

/// Converts `number` for [`Problems::within`].
pub fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Collects problems, and offers the rules that many keys share.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Adds a problem with the value of `key`.
    pub fn add(&mut self, key: impl fmt::Display, message: impl fmt::Display) {
        self.0.push(Problem(format!("{key}: {message}")));
    }

    /// Refuses a duration of zero.
    pub fn not_zero(&mut self, key: impl fmt::Display, duration: Duration) {
        if duration.is_zero() {
            self.add(key, "must be longer than 0s");
        }
    }

    /// Refuses an empty text.
    pub fn not_empty(&mut self, key: impl fmt::Display, text: &str) {
        if text.trim().is_empty() {
            self.add(key, "must not be empty");
        }
    }

    /// Refuses a value below `least` or above `most`.
    pub fn within(&mut self, key: impl fmt::Display, value: u64, least: u64, most: u64) {
        if value < least {
            self.add(key, format!("must be at least {least}"));
        } else if value > most {
            self.add(key, format!("must be at most {most}"));
        }
    }

    /// Refuses a name that Kafka does not allow for a topic (`org.apache.kafka.common.internals.Topic`).
    pub fn topic(&mut self, key: impl fmt::Display, name: &str) {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 249 || name == "." || name == ".." || !name.chars().all(legal) {
            self.add(key, "must be the name of a topic: 1 to 249 letters, digits, dots, underscores and dashes");
        }
    }

    /// Refuses a `file` that cannot be opened.
    pub fn readable(&mut self, key: impl fmt::Display, file: Option<&PathBuf>) {
        if let Some(file) = file
            && let Err(error) = std::fs::File::open(file)
        {
            self.add(key, format!("cannot read {}: {error}", file.display()));
        }
    }

    /// Refuses `text` unless it is a list of HTTP or HTTPS addresses, separated by commas.
    pub fn addresses(&mut self, key: &str, text: &str) {
        for address in text.split(',') {
            let valid = reqwest::Url::parse(address.trim())
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !valid {
                self.add(key, "must be an address such as http://127.0.0.1:9200");
            }
        }
    }

    /// Refuses a `proxy` that is not an HTTP address. The message does not repeat the address, which may hold a
    /// password.
    pub fn proxy(&mut self, key: &str, proxy: Option<&String>) {
        let Some(text) = proxy else { return };
        let text = if text.contains("://") { text.trim().to_owned() } else { format!("http://{}", text.trim()) };
        let valid =
            reqwest::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !valid {
            self.add(key, "must be the address of an HTTP proxy, such as http://proxy.example:3128");
        }
    }

    /// Refuses impossible limits on the depth and width of an event. Each level takes stack, so the depth has an upper
    /// bound.
    pub fn limits(&mut self, prefix: &str, max_depth: u16, max_items: u32, max_values: u32) {
        self.within(format_args!("{prefix}.max_depth"), u64::from(max_depth), 1, 200);
        self.within(format_args!("{prefix}.max_items"), u64::from(max_items), 1, u64::from(u32::MAX));
        self.within(format_args!("{prefix}.max_values"), u64::from(max_values), 1, u64::from(u32::MAX));
    }
}

#[cfg(test)]
mod tests;
