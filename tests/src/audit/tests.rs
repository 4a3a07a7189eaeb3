//! Doctored worlds: each has a deliberate fault, and the audit reports exactly that fault.

use serde_json::json;

use super::{Document, Entry, Exceptions, HttpAnswer, Intent, Kind, Ledger, Letter, Oracle, Written};
use crate::document_rules::timestamp;
use crate::event::{Event, Events, SCHEMA};

const SCHEMA_ID: u32 = 7;
/// 2026-01-02T03:04:05.678Z
const TIME: i64 = 1_767_323_045_678;

/// A ledger with the event to doctor among correct ones.
struct World {
    ledger: Ledger,
    event: Event,
}

fn entry(event: &Event, intent: Intent, answer: HttpAnswer) -> Entry {
    Entry { id: event.event_id.clone(), schema: SCHEMA_ID, datum: event.encode(), intent, answer }
}

fn document(event: &Event, index: &str) -> Document {
    document_of(event, index, TIME)
}

/// Returns the document of a record that was received at `received`.
fn document_of(event: &Event, index: &str, received: i64) -> Document {
    let mut source = event.document();
    source["timestamp"] = timestamp(event.timestamp, 1_000, 3, "Z");
    source["_ingested_at"] = timestamp(received, 1_000, 3, "Z");
    let source = source.as_object().cloned().unwrap_or_default();
    Document { index: index.to_owned(), id: event.event_id.clone(), source }
}

fn framed(datum: &[u8]) -> Vec<u8> {
    [[0].as_slice(), &SCHEMA_ID.to_be_bytes(), datum].concat()
}

impl World {
    fn new() -> Self {
        Self::with(Exceptions::default())
    }

    fn with(exceptions: Exceptions) -> Self {
        let mut oracle = Oracle::default();
        oracle.add(SCHEMA_ID, SCHEMA).unwrap();
        let events = Events::new(1, TIME);
        let mut world = Self { ledger: Ledger::new(oracle, exceptions), event: events.event(0) };
        for number in 1..5 {
            let other = events.event(number);
            world.sent(&other, Intent::Good, HttpAnswer::Accepted);
            world.written(&other);
            world.ledger.document(&document(&other, "events-000001"));
        }
        world
    }

    fn sent(&mut self, event: &Event, intent: Intent, answer: HttpAnswer) {
        self.ledger.sent(&entry(event, intent, answer));
    }

    /// Sends the event with this intent and answer.
    fn send(mut self, intent: Intent, answer: HttpAnswer) -> Self {
        let event = self.event.clone();
        self.sent(&event, intent, answer);
        self
    }

    fn written(&mut self, event: &Event) {
        self.received(event, TIME);
    }

    fn received(&mut self, event: &Event, timestamp: i64) {
        let value = framed(&event.encode());
        self.ledger.written(&Written { id: &event.event_id, value: &value, timestamp });
    }

    /// Adds a record that was received at `received`, and its document in `index`.
    fn receive(mut self, received: i64, index: &str) -> Self {
        let event = self.event.clone();
        self.received(&event, received);
        self.ledger.document(&document_of(&event, index, received));
        self
    }

    /// Adds its record to Kafka.
    fn write(mut self) -> Self {
        let event = self.event.clone();
        self.written(&event);
        self
    }

    /// Adds its document to `index`.
    fn store(mut self, index: &str) -> Self {
        self.ledger.document(&document(&self.event, index));
        self
    }

    /// Adds its dead letter.
    fn bury(mut self, error_type: &str) -> Self {
        let value = framed(&self.event.encode());
        self.ledger.letter(&Letter { id: &self.event.event_id, value: &value, error_type });
        self
    }

    /// Adds another event with its id, acknowledged and in Kafka.
    fn rival(&mut self) -> Event {
        let rival = Event { action_type: "another".to_owned(), ..self.event.clone() };
        self.sent(&rival, Intent::Good, HttpAnswer::Accepted);
        self.written(&rival);
        rival
    }

    #[track_caller]
    fn assert_found(self, kinds: &[Kind]) {
        let id = self.event.event_id;
        let findings = self.ledger.finish();
        let found: Vec<Kind> = findings.all.iter().map(|finding| finding.kind).collect();
        assert_eq!(found, kinds, "{findings}");
        assert!(findings.all.iter().all(|finding| finding.id == id), "an innocent event is blamed: {findings}");
    }
}

fn accepted() -> World {
    World::new().send(Intent::Good, HttpAnswer::Accepted).write()
}

#[test]
fn correct_data_has_no_findings() {
    accepted().store("events-000001").assert_found(&[]);
    World::new().send(Intent::Refused, HttpAnswer::Refused(400)).assert_found(&[]);
    World::new().send(Intent::Dead, HttpAnswer::Accepted).write().bury("document_parsing_exception").assert_found(&[]);
    // The outcome is unknown, so both outcomes are right.
    World::new().send(Intent::Good, HttpAnswer::Unknown).assert_found(&[]);
    World::new().send(Intent::Good, HttpAnswer::Unknown).write().store("events-000001").assert_found(&[]);
    // The sender repeats the event: one document, two records.
    accepted().write().send(Intent::Good, HttpAnswer::Accepted).store("events-000001").assert_found(&[]);
}

#[test]
fn an_acknowledged_event_that_is_missing_is_found() {
    accepted().assert_found(&[Kind::Lost]);
    World::new().send(Intent::Good, HttpAnswer::Accepted).assert_found(&[Kind::Lost]);
    World::new().send(Intent::Dead, HttpAnswer::Accepted).write().assert_found(&[Kind::Lost]);
}

#[test]
fn a_refused_event_with_a_document_is_found() {
    let refused = || World::new().send(Intent::Refused, HttpAnswer::Refused(401));
    refused().write().assert_found(&[Kind::RefusedButThere]);
    refused().write().store("events-000001").assert_found(&[Kind::RefusedButThere]);
    refused().write().bury("not-framed").assert_found(&[Kind::RefusedButThere]);
    World::new().send(Intent::Refused, HttpAnswer::Accepted).assert_found(&[Kind::NotRefused]);
    let good = || World::new().send(Intent::Good, HttpAnswer::Refused(400));
    good().assert_found(&[Kind::GoodButRefused]);
    good().write().assert_found(&[Kind::RefusedButThere, Kind::GoodButRefused]);
}

#[test]
fn an_event_with_two_documents_is_found() {
    accepted().store("events-000001").store("events-000002").assert_found(&[Kind::Repeated]);
    let exceptions = || Exceptions { blind: ["events-000001".to_owned()].into(), ..Exceptions::default() };
    let world = || World::with(exceptions()).send(Intent::Good, HttpAnswer::Accepted).write().store("events-000001");
    world().store("events-000002").assert_found(&[]);
    world().store("events-000002").store("events-000003").assert_found(&[Kind::Repeated]);
}

#[test]
fn a_document_that_differs_from_the_bytes_is_found() {
    for (field, value) in [
        ("timestamp", json!("2026-01-02T03:04:05.679Z")),
        ("action_type", json!("")),
        ("metadata", json!({})),
        ("more", json!(null)),
        ("_ingested_at", json!("2026-01-02T03:04:05.679Z")),
    ] {
        let mut world = accepted();
        let mut document = document(&world.event, "events-000001");
        document.source.insert(field.to_owned(), value);
        world.ledger.document(&document);
        let findings = world.ledger.finish();
        assert!(findings.all.iter().any(|finding| finding.kind == Kind::Different), "{field}: {findings}");
    }
}

#[test]
fn a_record_that_differs_from_the_bytes_is_found() {
    let mut world = World::new().send(Intent::Good, HttpAnswer::Unknown);
    let mut value = framed(&world.event.encode());
    value.push(0);
    world.ledger.written(&Written { id: &world.event.event_id, value: &value, timestamp: TIME });
    world.assert_found(&[Kind::Altered]);
    let mut world = World::new().send(Intent::Good, HttpAnswer::Unknown);
    let mut value = framed(&world.event.encode());
    value[4] ^= 1;
    world.ledger.written(&Written { id: &world.event.event_id, value: &value, timestamp: TIME });
    world.assert_found(&[Kind::Altered]);
}

#[test]
fn a_valid_event_among_the_dead_letters_is_found() {
    accepted().bury("mapper_parsing_exception").assert_found(&[Kind::GoodButDead]);
    accepted().store("events-000001").bury("timed_out").assert_found(&[Kind::GoodButDead]);
    // No other event has its id.
    accepted().bury("id-conflict").assert_found(&[Kind::GoodButDead]);
    accepted().store("events-000001").bury("id-conflict").assert_found(&[Kind::GoodButDead]);
}

#[test]
fn an_event_swallowed_as_a_duplicate_is_found() {
    let mut world = accepted().store("events-000001");
    world.rival();
    world.assert_found(&[Kind::Swallowed]);
    // A dead letter makes it correct.
    let mut world = accepted().store("events-000001");
    let rival = world.rival();
    let value = framed(&rival.encode());
    world.ledger.letter(&Letter { id: &rival.event_id, value: &value, error_type: "id-conflict" });
    world.assert_found(&[]);
    // The roles of the two events may also be swapped.
    let mut world = accepted();
    let rival = world.rival();
    world.ledger.document(&document(&rival, "events-000001"));
    world.bury("id-conflict").assert_found(&[]);
}

#[test]
fn a_valid_event_in_the_quarantine_is_found() {
    let mut world = accepted().store("events-000001");
    let body = framed(&world.event.encode());
    world.ledger.quarantined(&body);
    world.assert_found(&[Kind::GoodButQuarantined]);
}

#[test]
fn a_document_that_nobody_sent_is_found() {
    World::new().store("events-000001").assert_found(&[Kind::Strange]);
    World::new().write().assert_found(&[Kind::Strange]);
    World::new().bury("not-framed").assert_found(&[Kind::Strange]);
}

#[test]
fn a_document_in_a_deleted_index_may_be_missing_or_written_again() {
    let deleted =
        |world: &World| Exceptions { deleted: [world.event.event_id.clone()].into(), ..Exceptions::default() };
    let exceptions = deleted(&World::new());
    World::with(exceptions.clone()).send(Intent::Good, HttpAnswer::Accepted).write().assert_found(&[]);
    let twice = World::with(exceptions).send(Intent::Good, HttpAnswer::Accepted).write();
    twice.store("events-000002").store("events-000003").assert_found(&[Kind::Repeated]);
}

#[test]
fn documents_of_a_deleted_index_may_be_diverted_and_written_again() {
    let world = |deleted_before| {
        let exceptions = Exceptions { deleted_before: Some(deleted_before), ..Exceptions::default() };
        let world = World::with(exceptions).send(Intent::Good, HttpAnswer::Accepted).write();
        world.store("events-000002").store("events-000004")
    };
    // The event is of TIME.
    world(TIME + 1).assert_found(&[]);
    world(TIME).assert_found(&[Kind::Repeated]);
}

#[test]
fn an_event_that_retention_overtook_may_be_missing() {
    let exceptions = || {
        let overtaken = [World::new().event.event_id].into();
        Exceptions { overtaken, ..Exceptions::default() }
    };
    let world = || World::with(exceptions()).send(Intent::Good, HttpAnswer::Accepted).write();
    world().assert_found(&[]);
    world().store("events-000001").assert_found(&[]);
    world().store("events-000001").store("events-000002").assert_found(&[Kind::Repeated]);
    world().bury("mapper_parsing_exception").assert_found(&[Kind::GoodButDead]);
}

#[test]
fn only_events_placed_by_their_receipt_may_be_in_an_index_for_each_receipt() {
    let ahead = || {
        let exceptions = Exceptions { tolerance: Some(1_000), ..Exceptions::default() };
        World::with(exceptions).send(Intent::Good, HttpAnswer::Accepted)
    };
    // The sender's clock is 9 and 4 seconds ahead of the receivers'.
    ahead().receive(TIME - 9_000, "events-000001").receive(TIME - 4_000, "events-000002").assert_found(&[]);
    // It is within the tolerance, so that both are placed by the event's own timestamp.
    let within = ahead().receive(TIME - 900, "events-000001").receive(TIME - 400, "events-000002");
    within.assert_found(&[Kind::Repeated]);
    // One receipt has one place.
    let once = ahead().receive(TIME - 9_000, "events-000001").receive(TIME - 9_000, "events-000002");
    once.assert_found(&[Kind::Repeated]);
    // No clock was wrong.
    let right = World::new().send(Intent::Good, HttpAnswer::Accepted);
    let right = right.receive(TIME - 9_000, "events-000001").receive(TIME - 4_000, "events-000002");
    right.assert_found(&[Kind::Repeated]);
}

#[test]
fn two_events_with_one_id_may_be_in_an_index_each_if_their_clocks_allow_it() {
    let world = |tolerance| {
        let mut world = World::with(Exceptions { tolerance, ..Exceptions::default() });
        world = world.send(Intent::Good, HttpAnswer::Accepted).receive(TIME - 9_000, "events-000001");
        let rival = Event { action_type: "another".to_owned(), ..world.event.clone() };
        world.sent(&rival, Intent::Good, HttpAnswer::Accepted);
        world.received(&rival, TIME - 4_000);
        world.ledger.document(&document_of(&rival, "events-000002", TIME - 4_000));
        // The first record of the rival met the other event.
        let value = framed(&rival.encode());
        world.ledger.letter(&Letter { id: &rival.event_id, value: &value, error_type: "id-conflict" });
        world
    };
    world(Some(1_000)).assert_found(&[]);
    world(None).assert_found(&[Kind::Repeated]);
}
