//! What is known about Kafka, shared by the requests, librdkafka's callbacks and the watch.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use shared::kafka::Login;
use tokio::sync::Notify;

/// Whether Kafka takes events.
#[derive(Debug)]
pub(crate) struct Health {
    away: AtomicBool,
    all_brokers_down: AtomicBool,
    trouble: Notify,
}

impl Default for Health {
    /// Away, until it was seen.
    fn default() -> Self {
        Self { away: AtomicBool::new(true), all_brokers_down: AtomicBool::new(false), trouble: Notify::new() }
    }
}

impl Health {
    /// Whether events are to be refused at once.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Says what the watch found.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// Asks the watch to look.
    pub(crate) fn trouble(&self) {
        self.trouble.notify_one();
    }

    /// Waits until somebody asks the watch to look.
    pub(crate) async fn troubled(&self) {
        self.trouble.notified().await;
    }

    /// Whether librdkafka has said that it has no connection to any broker since this was asked last.
    pub(crate) fn take_all_brokers_down(&self) -> bool {
        self.all_brokers_down.swap(false, Ordering::Relaxed)
    }
}

/// librdkafka's callbacks: logs go to our logs, errors that matter to the watch.
pub(crate) struct Logs {
    /// Where errors go.
    pub(crate) health: Arc<Health>,
    /// Where tokens come from.
    pub(crate) login: Arc<Login>,
}

impl ClientContext for Logs {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.login.token()
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::error!(target: "rdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "rdkafka", facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "rdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "rdkafka", facility, "{message}"),
        }
    }

    /// librdkafka retries by itself; only what its retries do not mend is of interest. It logs the rest, see [`Logs::log`].
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "rdkafka", %error, reason, "The producer reports an error.");
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                self.health.all_brokers_down.store(true, Ordering::Relaxed);
                self.health.trouble();
            }
            Some(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Authentication) => self.health.trouble(),
            _ => {}
        }
    }
}
