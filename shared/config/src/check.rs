//! What the values of a config must fulfil beyond their types. All that is wrong is found at once.
//!
//! A rule goes into the module of the section whose concern it is; a rule about two sections into the one that suffers.
//! No message repeats a value that may be a secret.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use service::telemetry::{self, Log};

use super::{Kafka, SchemaRegistry, Tracing};

mod kafka;
mod schema_registry;
mod tracing;

/// One thing that is wrong with the config: the key, what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds what is wrong with the sections that both binaries read.
pub fn check_common(log: &Log, tracing: &Tracing, kafka: &Kafka, registry: &SchemaRegistry, problems: &mut Problems) {
    if let Err(error) = telemetry::filter(&log.level) {
        problems.add("log.level", error);
    }
    tracing::check(tracing, problems);
    kafka::check(kafka, problems);
    schema_registry::check(registry, problems);
}

/// Returns `number` for [`Problems::within`].
pub fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What was found so far, and the rules that many keys share.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Adds what is wrong with the value of `key`.
    pub fn add(&mut self, key: impl fmt::Display, message: impl fmt::Display) {
        self.0.push(Problem(format!("{key}: {message}")));
    }

    /// Refuses a duration of nothing.
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

    /// Refuses what is no name of a topic to Kafka (`org.apache.kafka.common.internals.Topic`).
    pub fn topic(&mut self, key: impl fmt::Display, name: &str) {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 249 || name == "." || name == ".." || !name.chars().all(legal) {
            self.add(key, "must be the name of a topic: 1 to 249 letters, digits, dots, underscores and dashes");
        }
    }

    /// Refuses a file, where one is named, that cannot be opened.
    pub fn readable(&mut self, key: impl fmt::Display, file: Option<&PathBuf>) {
        if let Some(file) = file
            && let Err(error) = std::fs::File::open(file)
        {
            self.add(key, format!("cannot read {}: {error}", file.display()));
        }
    }

    /// Refuses what are no addresses of a service that speaks HTTP, separated by commas.
    pub fn addresses(&mut self, key: &str, text: &str) {
        for address in text.split(',') {
            let valid = reqwest::Url::parse(address.trim())
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !valid {
                self.add(key, "must be an address such as http://127.0.0.1:9200");
            }
        }
    }

    /// Refuses what is no HTTP proxy, where there is one. The address may hold a password, so it is not repeated.
    pub fn proxy(&mut self, key: &str, proxy: Option<&String>) {
        let Some(text) = proxy else { return };
        let text = if text.contains("://") { text.trim().to_owned() } else { format!("http://{}", text.trim()) };
        let valid =
            reqwest::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !valid {
            self.add(key, "must be the address of an HTTP proxy, such as http://proxy.example:3128");
        }
    }

    /// Refuses limits of how deep and how wide an event may be that cannot be kept. Each level takes stack, so the depth
    /// has an upper bound.
    pub fn limits(&mut self, prefix: &str, max_depth: u16, max_items: u32, max_values: u32) {
        self.within(format_args!("{prefix}.max_depth"), u64::from(max_depth), 1, 200);
        self.within(format_args!("{prefix}.max_items"), u64::from(max_items), 1, u64::from(u32::MAX));
        self.within(format_args!("{prefix}.max_values"), u64::from(max_values), 1, u64::from(u32::MAX));
    }
}

#[cfg(test)]
mod tests;
