//! What the values of a [`Config`] must fulfil beyond their types. All that is wrong is found at once.
//!
//! A rule goes into the module of the section whose concern it is; a rule about two sections into the one that suffers.
//! No message repeats a value that may be a secret.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use service::telemetry;

use super::Config;
use super::part::Part;

mod cxone;
mod elasticsearch;
mod indexer;
mod kafka;
mod lifecycle;
mod placement;
mod receiver;
mod schema_registry;
mod topics;

/// One thing that is wrong with the config: the key, what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything that is wrong with the sections of `config` that `part` reads; empty when nothing is. Reads the files of
/// secrets that the config names, to see that they are there.
pub fn check(config: &Config, part: Part) -> Vec<Problem> {
    let mut problems = Problems::default();
    if let Err(error) = telemetry::filter(&config.log.level) {
        problems.add("log.level", error);
    }
    kafka::check(&config.kafka, part, &mut problems);
    schema_registry::check(&config.schema_registry, &mut problems);
    if part.receiver() {
        receiver::check(config, &mut problems);
        cxone::check(config, &mut problems);
    }
    if part.indexer() {
        if config.indexer.topics.is_empty() {
            elasticsearch::check(&config.elasticsearch, &mut problems);
            placement::check(&config.elasticsearch, &mut problems);
            lifecycle::check(config, &mut problems);
        } else {
            topics::check(config, &mut problems);
        }
        indexer::check(config, &mut problems);
    }
    problems.0
}

/// For [`Problems::within`].
fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What was found so far, and the rules that many keys share.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, key: impl fmt::Display, message: impl fmt::Display) {
        self.0.push(Problem(format!("{key}: {message}")));
    }

    fn not_zero(&mut self, key: impl fmt::Display, duration: Duration) {
        if duration.is_zero() {
            self.add(key, "must be longer than 0s");
        }
    }

    fn not_empty(&mut self, key: impl fmt::Display, text: &str) {
        if text.trim().is_empty() {
            self.add(key, "must not be empty");
        }
    }

    fn within(&mut self, key: impl fmt::Display, value: u64, least: u64, most: u64) {
        if value < least {
            self.add(key, format!("must be at least {least}"));
        } else if value > most {
            self.add(key, format!("must be at most {most}"));
        }
    }

    /// The rule of Kafka for the names of topics (`org.apache.kafka.common.internals.Topic`).
    fn topic(&mut self, key: impl fmt::Display, name: &str) {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 249 || name == "." || name == ".." || !name.chars().all(legal) {
            self.add(key, "must be the name of a topic: 1 to 249 letters, digits, dots, underscores and dashes");
        }
    }

    /// A file, where one is named, that can be opened.
    fn readable(&mut self, key: impl fmt::Display, file: Option<&PathBuf>) {
        if let Some(file) = file
            && let Err(error) = std::fs::File::open(file)
        {
            self.add(key, format!("cannot read {}: {error}", file.display()));
        }
    }

    /// Addresses of a service that speaks HTTP, separated by commas.
    fn addresses(&mut self, key: &str, text: &str) {
        for address in text.split(',') {
            let valid = reqwest::Url::parse(address.trim())
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !valid {
                self.add(key, "must be an address such as http://127.0.0.1:9200");
            }
        }
    }

    /// An HTTP proxy, where there is one. The address may hold a password, so it is not repeated.
    fn proxy(&mut self, key: &str, proxy: Option<&String>) {
        let Some(text) = proxy else { return };
        let text = if text.contains("://") { text.trim().to_owned() } else { format!("http://{}", text.trim()) };
        let valid =
            reqwest::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !valid {
            self.add(key, "must be the address of an HTTP proxy, such as http://proxy.example:3128");
        }
    }

    /// How deep and how wide an event may be. Each level takes stack, so the depth has an upper bound.
    fn limits(&mut self, prefix: &str, max_depth: u16, max_items: u32, max_values: u32) {
        self.within(format_args!("{prefix}.max_depth"), u64::from(max_depth), 1, 200);
        self.within(format_args!("{prefix}.max_items"), u64::from(max_items), 1, u64::from(u32::MAX));
        self.within(format_args!("{prefix}.max_values"), u64::from(max_values), 1, u64::from(u32::MAX));
    }
}

#[cfg(test)]
mod tests;
