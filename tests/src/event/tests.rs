//! The encoder compared with apache-avro, and the size of an event, on which other figures are based.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value as Avro;

use super::{Event, Events, SCHEMA};

fn decoded(event: &Event) -> Avro {
    let schema = Schema::parse_str(SCHEMA).unwrap();
    let datum = event.encode();
    let mut rest = datum.as_slice();
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "{} bytes are left over", rest.len());
    value
}

fn expected(event: &Event) -> Avro {
    let text = |text: &str| Avro::String(text.to_owned());
    let user_id = match &event.user_id {
        None => Avro::Union(0, Box::new(Avro::Null)),
        Some(id) => Avro::Union(1, Box::new(text(id))),
    };
    let metadata = event.metadata.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    Avro::Record(vec![
        ("event_id".to_owned(), text(&event.event_id)),
        ("timestamp".to_owned(), Avro::TimestampMillis(event.timestamp)),
        ("action_type".to_owned(), text(&event.action_type)),
        ("user_id".to_owned(), user_id),
        ("metadata".to_owned(), Avro::Map(metadata)),
    ])
}

#[test]
fn apache_avro_reads_what_the_encoder_wrote() {
    let events = Events::unique();
    for number in 0..1_000 {
        let event = events.event(number);
        assert_eq!(decoded(&event), expected(&event));
    }
}

#[test]
fn apache_avro_reads_the_extremes() {
    let event = Event { timestamp: i64::MIN, metadata: Vec::new(), ..Events::new(1, 0).event(0) };
    assert_eq!(decoded(&event), expected(&event));
    let event = Event { timestamp: i64::MAX, action_type: "ö".repeat(100), ..Events::new(1, 0).event(0) };
    assert_eq!(decoded(&event), expected(&event));
}

#[test]
fn an_event_is_about_178_bytes() {
    let events = Events::new(7, super::now());
    let bytes: usize = (0..1_000).map(|number| events.event(number).encode().len()).sum();
    assert!((176..=180).contains(&(bytes / 1_000)), "{} bytes on average", bytes / 1_000);
}

#[test]
fn an_event_has_about_the_size_that_is_asked_for() {
    for size in [200, 1_100, 200_000] {
        let events = Events::unique().of_size(size);
        let bytes: usize = (0..100).map(|number| events.event(number).encode().len()).sum();
        assert!((size - 5..=size + 5).contains(&(bytes / 100)), "{} bytes instead of {size}", bytes / 100);
        assert_eq!(decoded(&events.event(3)), expected(&events.event(3)));
        assert_eq!(events.event(3).event_id, events.id(3));
    }
    let (small, usual) = (Events::new(3, 0).of_size(100), Events::new(3, 0));
    assert_eq!(small.event(1), usual.event(1), "an event is not shortened");
}

#[test]
fn an_event_is_a_function_of_seed_and_number() {
    let events = Events::new(3, 1_000);
    assert_eq!(events.event(5), Events::new(3, 1_000).event(5));
    assert_eq!(events.event(5).event_id, events.id(5));
    assert_ne!(events.id(5), events.id(6));
}
