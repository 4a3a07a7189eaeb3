//! The ledger of events: for each event what was sent, what was stored, and whether the two agree.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::exceptions::Exceptions;
use super::findings::{Findings, Kind};
use super::journal::{Entry, HttpAnswer, Intent};
use super::observed::{Document, INGESTED_AT, Letter, Written, datum};
use super::oracle::{Oracle, same_members};
use crate::document_rules::timestamp;

/// The error type of a dead letter whose id belongs to another event.
const CONFLICT: &str = "id-conflict";

/// Records everything that was sent and stored.
#[derive(Debug)]
pub struct Ledger {
    oracle: Oracle,
    exceptions: Exceptions,
    events: HashMap<String, Event>,
    indices: HashSet<Arc<str>>,
    quarantined: HashSet<Vec<u8>>,
    findings: Findings,
}

/// Records what was sent and stored under one id.
#[derive(Debug, Default)]
struct Event {
    /// One content, or several if different events have the id.
    contents: Vec<Content>,
    /// The timestamps of its records.
    times: Vec<i64>,
    /// Its documents.
    copies: Vec<Stored>,
}

#[derive(Debug)]
struct Content {
    schema: u32,
    datum: Box<[u8]>,
    intent: Intent,
    accepted: bool,
    refused: Option<u16>,
    unknown: bool,
    written: u32,
    letters: Vec<Box<str>>,
}

#[derive(Debug)]
struct Stored {
    index: Arc<str>,
    /// The index of the matching content; `None` if the document matches none.
    content: Option<usize>,
    /// Its placement time, in milliseconds since the Unix epoch; `None` if content or record are unknown.
    placed: Option<i64>,
}

impl Stored {
    fn differs(&self) -> bool {
        self.content.is_none()
    }
}

impl Content {
    fn new(entry: &Entry) -> Self {
        Self {
            schema: entry.schema,
            datum: entry.datum.clone().into(),
            intent: entry.intent,
            accepted: false,
            refused: None,
            unknown: false,
            written: 0,
            letters: Vec::new(),
        }
    }

    /// Returns whether the event may be stored at all.
    fn is_possible(&self) -> bool {
        self.intent != Intent::Refused && (self.accepted || self.unknown)
    }
}

impl Ledger {
    /// Creates an empty ledger. `oracle` knows the schemas of everything that was sent.
    pub fn new(oracle: Oracle, exceptions: Exceptions) -> Self {
        let (events, indices, quarantined) = (HashMap::new(), HashSet::new(), HashSet::new());
        Self { oracle, exceptions, events, indices, quarantined, findings: Findings::default() }
    }

    /// Adds an entry of the journal. Add all entries before what was stored.
    pub fn sent(&mut self, entry: &Entry) {
        let event = self.events.entry(entry.id.clone()).or_default();
        let same = |content: &Content| content.schema == entry.schema && *content.datum == *entry.datum;
        let known = event.contents.iter().position(same).unwrap_or_else(|| {
            event.contents.push(Content::new(entry));
            event.contents.len() - 1
        });
        let content = &mut event.contents[known];
        match entry.answer {
            HttpAnswer::Accepted => content.accepted = true,
            HttpAnswer::Refused(status) => content.refused = Some(status),
            HttpAnswer::Unknown => content.unknown = true,
        }
    }

    /// Adds a record of the topic. Add all records before the documents.
    pub fn written(&mut self, record: &Written<'_>) {
        let Some(event) = self.events.get_mut(record.id) else {
            return self.findings.add(Kind::Strange, record.id, "a record");
        };
        event.times.push(record.timestamp);
        let content = content_of(event, record.value);
        let Some(content) = content.map(|content| &mut event.contents[content]) else {
            return self.findings.add(Kind::Altered, record.id, format!("the record's value is {:?}", record.value));
        };
        content.written += 1;
        let schema = record.value.get(1..5).and_then(|id| Some(u32::from_be_bytes(id.try_into().ok()?)));
        if schema != Some(content.schema) {
            let detail = format!("the record names the schema {schema:?}, not {}", content.schema);
            self.findings.add(Kind::Altered, record.id, detail);
        }
    }

    /// Adds a document.
    pub fn document(&mut self, document: &Document) {
        self.findings.documents += 1;
        let Document { index, id, .. } = document;
        let Some(event) = self.events.get_mut(id) else {
            return self.findings.add(Kind::Strange, id, format!("a document in {index}"));
        };
        let found = (0..event.contents.len()).find(|content| is_of(&self.oracle, &event.contents[*content], document));
        if found.is_none() {
            let detail = format!("in {index} is {}", Value::Object(document.source.clone()));
            self.findings.add(Kind::Different, id, detail);
        }
        let ingested_at = document.source.get(INGESTED_AT).unwrap_or(&Value::Null);
        let received = event.times.iter().copied().find(|time| timestamp(*time, 1_000, 3, "Z") == *ingested_at);
        if received.is_none() {
            let detail = format!("{INGESTED_AT} is {ingested_at}, and its records are of {:?}", event.times);
            self.findings.add(Kind::Different, id, detail);
        }
        let index = self.indices.get(index.as_str()).cloned().unwrap_or_else(|| {
            let index: Arc<str> = index.as_str().into();
            self.indices.insert(Arc::clone(&index));
            index
        });
        let own = found.map(|content| &event.contents[content]);
        let own = own.and_then(|content| self.oracle.time(content.schema, &content.datum));
        let placed = own.zip(received).map(|(own, received)| self.exceptions.placed(own, received));
        event.copies.push(Stored { index, content: found, placed });
    }

    /// Adds a dead letter.
    pub fn letter(&mut self, letter: &Letter<'_>) {
        self.findings.letters += 1;
        let Letter { id, error_type, .. } = letter;
        let Some(event) = self.events.get_mut(*id) else {
            return self.findings.add(Kind::Strange, id, format!("a dead letter, {error_type}"));
        };
        match content_of(event, letter.value) {
            Some(content) => event.contents[content].letters.push((*error_type).into()),
            None => self.findings.add(Kind::Altered, id, format!("a dead letter, {error_type}, of other bytes")),
        }
    }

    /// Adds a body from the quarantine.
    pub fn quarantined(&mut self, body: &[u8]) {
        self.quarantined.extend(datum(body).map(<[u8]>::to_vec));
        self.quarantined.insert(body.to_vec());
    }

    /// Judges every event.
    pub fn finish(self) -> Findings {
        let Self { exceptions, events, quarantined, mut findings, .. } = self;
        findings.events = events.len();
        for (id, event) in &events {
            if event.contents.iter().any(|content| content.accepted) {
                findings.acknowledged += 1;
            }
            let judge = Judge { id, event, exceptions: &exceptions };
            judge.copies(&mut findings);
            for (number, content) in event.contents.iter().enumerate() {
                judge.content(number, content, &mut findings);
                if content.intent == Intent::Good && quarantined.contains(&*content.datum) {
                    findings.add(Kind::GoodButQuarantined, id, "its body is in the quarantine");
                }
            }
        }
        findings.all.sort_by(|left, right| (left.kind, &left.id).cmp(&(right.kind, &right.id)));
        findings
    }
}

/// Returns which content of `event` matches the `value` of a record.
fn content_of(event: &Event, value: &[u8]) -> Option<usize> {
    let datum = datum(value)?;
    event.contents.iter().position(|content| *content.datum == *datum)
}

/// Returns whether `document` is what `content` must become.
fn is_of(oracle: &Oracle, content: &Content, document: &Document) -> bool {
    let mut stored = document.source.clone();
    stored.remove(INGESTED_AT);
    oracle.document(content.schema, &content.datum).is_ok_and(|expected| same_members(&expected, &stored))
}

/// The rules for one event.
struct Judge<'a> {
    id: &'a str,
    event: &'a Event,
    exceptions: &'a Exceptions,
}

impl Judge<'_> {
    fn copies(&self, findings: &mut Findings) {
        let copies: Vec<_> = self.event.copies.iter().map(|copy| (&*copy.index, copy.placed)).collect();
        if !self.exceptions.allow_copies(&copies) {
            let indices: Vec<&str> = copies.into_iter().map(|(index, _)| index).collect();
            findings.add(Kind::Repeated, self.id, format!("in {}", indices.join(" and ")));
        }
    }

    fn content(&self, number: usize, content: &Content, findings: &mut Findings) {
        let is_stored = self.event.copies.iter().any(|copy| copy.content == Some(number));
        let is_there = is_stored || content.written > 0 || !content.letters.is_empty();
        let seen = || {
            let indices: Vec<&str> = self.event.copies.iter().map(|copy| &*copy.index).collect();
            format!("{} records, documents in {indices:?}, dead letters {:?}", content.written, content.letters)
        };
        match content.intent {
            Intent::Refused if content.accepted => findings.add(Kind::NotRefused, self.id, seen()),
            Intent::Good if !content.is_possible() => {
                findings.add(Kind::GoodButRefused, self.id, format!("with {:?}", content.refused));
            }
            _ => (),
        }
        if is_there && !content.is_possible() {
            return findings.add(Kind::RefusedButThere, self.id, seen());
        }
        if content.intent == Intent::Good && !content.letters.is_empty() && !self.is_conflict(number, content) {
            return findings.add(Kind::GoodButDead, self.id, seen());
        }
        // A document that matches no content is already a finding of its own.
        let is_told = self.exceptions.deleted.contains(self.id)
            || self.exceptions.overtaken.contains(self.id)
            || self.event.copies.iter().any(Stored::differs);
        let is_settled = is_stored || !content.letters.is_empty() || is_told;
        if content.accepted && content.intent != Intent::Refused && !is_settled {
            let kind = if self.event.copies.is_empty() { Kind::Lost } else { Kind::Swallowed };
            findings.add(kind, self.id, seen());
        }
    }

    /// Returns whether its dead letters are correct, because another event has its id. If it has a document too, the
    /// two documents are in different indices, which [`Judge::copies`] judges.
    fn is_conflict(&self, number: usize, content: &Content) -> bool {
        let is_deleted = self.exceptions.deleted.contains(self.id);
        let others = self.event.copies.iter().any(|copy| copy.content.is_some_and(|stored| stored != number));
        let all = content.letters.iter().all(|letter| **letter == *CONFLICT);
        all && (is_deleted || others)
    }
}
