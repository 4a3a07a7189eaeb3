//! The sender's journal: a file with one entry for each event, appended once the sender knows the outcome.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The last answer that the sender received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpAnswer {
    /// 200.
    Accepted,
    /// A status that another attempt would not change.
    Refused(u16),
    /// No final answer: the event may have been stored or not.
    Unknown,
}

/// What the sender intends for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It must be accepted, and become one document.
    Good,
    /// It must be refused: its bytes or its credentials are wrong.
    Refused,
    /// It must be accepted, and the index must refuse its document.
    Dead,
}

/// One event that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The id of its schema.
    pub schema: u32,
    /// Its bytes without a frame.
    pub datum: Vec<u8>,
    /// Its intended outcome.
    pub intent: Intent,
    /// The answer to the sender.
    pub answer: HttpAnswer,
}

/// Writes the file.
#[derive(Debug)]
pub struct Journal {
    file: Mutex<BufWriter<File>>,
}

impl Journal {
    /// Creates the journal.
    ///
    /// # Errors
    /// If the file exists, or cannot be written.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create_new(path).with_context(|| path.display().to_string())?;
        Ok(Self { file: Mutex::new(BufWriter::new(file)) })
    }

    /// Appends `entry`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn append(&self, entry: &Entry) -> anyhow::Result<()> {
        let line = entry.line().to_string();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(writeln!(file, "{line}")?)
    }

    /// Writes all buffered entries.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn flush(&self) -> anyhow::Result<()> {
        Ok(self.file.lock().unwrap_or_else(PoisonError::into_inner).flush()?)
    }

    /// Passes each entry of the journal at `path` to `take`, in order.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is not an entry.
    pub fn read(path: &Path, mut take: impl FnMut(Entry)) -> anyhow::Result<()> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let entry = Entry::parse(&line?).with_context(|| format!("line {} of {}", number + 1, path.display()))?;
            take(entry);
        }
        Ok(())
    }
}

impl Entry {
    fn line(&self) -> Value {
        let answer = match self.answer {
            HttpAnswer::Accepted => 200,
            HttpAnswer::Refused(status) => status,
            HttpAnswer::Unknown => 0,
        };
        let intent = match self.intent {
            Intent::Good => "good",
            Intent::Refused => "refused",
            Intent::Dead => "dead",
        };
        let datum = STANDARD.encode(&self.datum);
        json!({"id": self.id, "schema": self.schema, "intent": intent, "answer": answer, "datum": datum})
    }

    fn parse(line: &str) -> anyhow::Result<Self> {
        let line: Value = serde_json::from_str(line)?;
        let text = |name: &str| line[name].as_str().with_context(|| format!("no {name}"));
        let number = |name: &str| line[name].as_u64().with_context(|| format!("no {name}"));
        let intent = match text("intent")? {
            "good" => Intent::Good,
            "refused" => Intent::Refused,
            "dead" => Intent::Dead,
            other => anyhow::bail!("no intent: {other}"),
        };
        let answer = match u16::try_from(number("answer")?)? {
            200 => HttpAnswer::Accepted,
            0 => HttpAnswer::Unknown,
            status => HttpAnswer::Refused(status),
        };
        let schema = u32::try_from(number("schema")?)?;
        Ok(Self { id: text("id")?.to_owned(), schema, datum: STANDARD.decode(text("datum")?)?, intent, answer })
    }
}

#[cfg(test)]
mod tests;
