//! `dead-letters redrive --quarantine`: posts bodies that were not events to a receiver again.
//!
//! A body in the quarantine was never a record, so the receiver must judge it with today's schemas and all its checks.
//! Accepted bodies are marked immediately. A refused body is kept again in a new letter, and then the old letter is
//! marked too, so that each body has one open letter.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use service::http::Web;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::DeadLetterError;
use super::filter::{Filter, Which};
use super::letter::{Kind, Letter};
use super::marks::{LetterState, Marks, Offsets, is_mark};
use super::outcome::{Outcome, Redriven};
use super::transactions::{Outgoing, Transactions};
use crate::commands::log::{LogReader, Part};
use crate::config::Config;

/// The time-out of one request: longer than the receiver's default deadline.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a receiver may answer "later" before the redrive ends.
const PATIENCE: Duration = Duration::from_secs(60);
/// The wait before the next attempt.
const RETRY: Duration = Duration::from_secs(1);
/// How long the new letter of a refused body may take to appear.
const NEW_LETTER: Duration = Duration::from_secs(10);
/// The most refused bodies per run whose old letters are marked. Beyond it, the old letters stay open beside the new
/// ones.
const MAX_REFUSED: usize = 100_000;
/// Headers of the request that the quarantine keeps, by their names in the quarantine.
const KEPT: [(&str, &str); 6] = [
    ("q.request-id", "x-request-id"),
    ("q.traceparent", "traceparent"),
    ("q.content-type", "content-type"),
    ("q.x-schema-id", "x-schema-id"),
    ("q.x-schema-version", "x-schema-version"),
    ("q.content-encoding", "content-encoding"),
];

/// Where and how to post.
pub(super) struct Receiver<'a> {
    /// The address of the webhook.
    pub(super) url: &'a str,
    /// A file with headers of the request, for example credentials: `Name: value` on each line.
    pub(super) headers: Option<&'a Path>,
    /// The most requests per second.
    pub(super) rate: Option<u32>,
    /// Whether nothing is posted.
    pub(super) dry_run: bool,
}

/// One run.
struct Posts<'a> {
    web: Web,
    receiver: &'a Receiver<'a>,
    headers: Vec<(String, String)>,
    topic: &'a str,
    transactions: Option<Transactions>,
    began: Instant,
    /// Bodies that were refused again, by request and content, with the positions of their letters.
    refused: HashMap<(String, [u8; 32]), (i32, i64)>,
    report: Redriven,
    outcome: Outcome,
}

/// Posts the open bodies that `filter` selects to `receiver`. Blocks.
///
/// # Errors
/// [`DeadLetterError`]. Bodies accepted before that are marked.
pub(super) fn run(
    config: &Config,
    which: &Which,
    filter: &Filter,
    receiver: &Receiver<'_>,
) -> Result<Redriven, DeadLetterError> {
    let (reader, (topic, _)) = (LogReader::new(config)?, which.topic(&config.kafka));
    let headers = receiver.headers.map(read_headers).transpose()?.unwrap_or_default();
    let transactions = (!receiver.dry_run).then(|| Transactions::begin(config, topic)).transpose()?;
    let parts = reader.parts(topic)?;
    let marks = Marks::read(&reader, topic, &parts)?;
    let web = Web::new(TIMEOUT).map_err(DeadLetterError::Write)?;
    let mut posts = Posts {
        web,
        receiver,
        headers,
        topic,
        transactions,
        began: Instant::now(),
        refused: HashMap::new(),
        report: Redriven { dry_run: receiver.dry_run, posted: true, ..Redriven::default() },
        outcome: Outcome::default(),
    };
    reader.scan::<DeadLetterError>(topic, &parts, |record| {
        posts.report.read += 1;
        let letter = Letter::of(topic, Kind::Quarantined, record);
        let is_open = !is_mark(record) && marks.state(record.partition.0, record.offset.0) == LetterState::Open;
        if is_open && filter.takes(&letter) {
            posts.post(&letter)?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    posts.close_refused(&reader, &parts)?;
    let Posts { mut report, outcome, .. } = posts;
    report.outcome = (!receiver.dry_run).then_some(outcome);
    Ok(report)
}

impl Posts<'_> {
    fn post(&mut self, letter: &Letter) -> Result<(), DeadLetterError> {
        self.report.letters += 1;
        let Some(body) = letter.value.as_deref().filter(|body| !body.is_empty()) else {
            return self.report.refuse("the letter has no body".to_owned());
        };
        *self.report.by_type.entry(letter.error_type().to_owned()).or_default() += 1;
        if self.transactions.is_none() {
            self.report.redriven += 1;
            return Ok(());
        }
        self.keep_rate();
        let (status, text) = self.send(letter, body)?;
        self.report.redriven += 1;
        match status {
            200..=299 => {
                self.outcome.settled += 1;
                self.mark(letter.at.partition, letter.at.offset)
            }
            400 | 413 | 422 => {
                *self.outcome.failed_again.entry(code(&text)).or_default() += 1;
                let request = letter.request_id().unwrap_or_default().to_owned();
                let content: [u8; 32] = Sha256::digest(body).into();
                if self.refused.len() < MAX_REFUSED {
                    self.refused.insert((request, content), (letter.at.partition, letter.at.offset));
                }
                Ok(())
            }
            status => Err(DeadLetterError::Write(format!(
                "the receiver answered {status} {}: check --post-to and the credentials in --headers-from; nothing more is posted",
                code(&text)
            ))),
        }
    }

    /// Sends one body until the receiver accepts or refuses it.
    fn send(&self, letter: &Letter, body: &[u8]) -> Result<(u16, String), DeadLetterError> {
        let kept =
            KEPT.iter().filter_map(|(name, header)| Some(((*header).to_owned(), letter.header(name)?.to_owned())));
        let headers: Vec<(String, String)> = kept.chain(self.headers.iter().cloned()).collect();
        let until = Instant::now() + PATIENCE;
        loop {
            let sent = Handle::current().block_on(self.web.post(self.receiver.url, &headers, body.to_vec()));
            match sent {
                Ok((429 | 500..=599, _)) | Err(_) if Instant::now() < until => std::thread::sleep(RETRY),
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    return Err(DeadLetterError::Write(format!("--post-to: the receiver does not answer: {error}")));
                }
            }
        }
    }

    fn mark(&self, partition: i32, offset: i64) -> Result<(), DeadLetterError> {
        let Some(transactions) = &self.transactions else { return Ok(()) };
        let mut offsets = Offsets::default();
        offsets.insert(offset);
        let mark = Outgoing::mark(self.topic, partition, LetterState::Redriven, &offsets);
        transactions.write(self.topic, vec![mark])?;
        Ok(())
    }

    /// Marks the letters of bodies that the receiver has refused and kept again, in new letters after `before`.
    fn close_refused(&mut self, reader: &LogReader, before: &[Part]) -> Result<(), DeadLetterError> {
        let until = Instant::now() + NEW_LETTER;
        while !self.refused.is_empty() {
            let ends: BTreeMap<i32, i64> =
                reader.parts(self.topic)?.iter().map(|part| (part.partition, part.to)).collect();
            let behind = |part: &Part| Part {
                from: part.to,
                to: ends.get(&part.partition).copied().unwrap_or(part.to),
                ..*part
            };
            let parts: Vec<Part> = before.iter().map(behind).collect();
            let mut closed = Vec::new();
            reader.scan::<DeadLetterError>(self.topic, &parts, |record| {
                let letter = Letter::of(self.topic, Kind::Quarantined, record);
                let content: [u8; 32] = Sha256::digest(letter.value.as_deref().unwrap_or_default()).into();
                let request = letter.request_id().unwrap_or_default().to_owned();
                closed.extend(self.refused.remove(&(request, content)));
                Ok(ControlFlow::Continue(()))
            })?;
            for (partition, offset) in closed {
                self.mark(partition, offset)?;
            }
            if Instant::now() >= until {
                break;
            }
            std::thread::sleep(RETRY / 4);
        }
        Ok(())
    }

    fn keep_rate(&self) {
        let Some(rate) = self.receiver.rate else { return };
        let due = Duration::from_secs(1).mul_f64(self.report.redriven as f64 / f64::from(rate.max(1)));
        std::thread::sleep(due.saturating_sub(self.began.elapsed()));
    }
}

/// Returns the `code` of a problem that the receiver answers.
fn code(text: &str) -> String {
    let problem: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    problem["code"].as_str().unwrap_or("unknown").to_owned()
}

/// Reads `Name: value` lines. Error messages never contain a line, because it may hold credentials.
fn read_headers(file: &Path) -> Result<Vec<(String, String)>, DeadLetterError> {
    let wrong = |what: String| DeadLetterError::Write(format!("--headers-from {}: {what}", file.display()));
    let text = config::read_text(file).map_err(|error| wrong(error.to_string()))?;
    let line = |(number, line): (usize, &str)| {
        let (name, value) =
            line.split_once(':').ok_or_else(|| wrong(format!("line {} is not NAME: VALUE", number + 1)))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(line).collect()
}

#[cfg(test)]
mod tests;
