//! All odd kinds occur, and the bytes match their schema.

use super::*;
use crate::audit::Oracle;

fn plan() -> Plan {
    Plan::new(3, 1)
}

#[test]
fn every_odd_kind_is_sent_and_most_events_are_good() {
    let mut plan = plan();
    let items: Vec<Item> = (0..4_000)
        .map(|number| {
            let item = plan.item(number);
            plan.acknowledged(item.clone());
            item
        })
        .collect();
    let count = |of: fn(&Item) -> bool| items.iter().filter(|item| of(item)).count();
    assert!(count(|item| item.intent == Intent::Good && item.is_authorized) > 3_900 - 3 * 100);
    assert_eq!(count(|item| item.intent == Intent::Refused && item.is_authorized), 40);
    assert_eq!(count(|item| !item.is_authorized), 10);
    assert_eq!(count(|item| item.intent == Intent::Dead), 10);
    assert_eq!(
        items.iter().filter(|item| !item.is_authorized).filter(|item| item.intent != Intent::Refused).count(),
        0
    );
}

#[test]
fn an_event_except_its_time_follows_from_seed_and_number() {
    let (mut left, mut right) = (plan(), plan());
    for number in 0..100 {
        let (left, right) = (left.item(number), right.item(number));
        assert_eq!(left.event.event_id, right.event.event_id);
        assert_eq!((left.is_framed, left.intent), (right.is_framed, right.intent));
    }
    assert_ne!(plan().item(0).event.event_id, Plan::new(4, 1).item(0).event.event_id);
}

#[test]
fn an_event_of_a_later_schema_fits_that_schema() {
    let schema = Variant::schema(&[("shift", r#""string""#), ("rank", r#""int""#)]);
    let mut oracle = Oracle::default();
    oracle.add(1, SCHEMA).unwrap();
    oracle.add(2, &schema).unwrap();
    let mut plan = plan();
    plan.add(Variant { id: 2, intent: Intent::Good, more: [Variant::text("late"), vec![14]].concat() });
    let mut later = 0;
    for number in 0..30 {
        let item = plan.item(number);
        let document = oracle.document(item.schema, &item.datum).unwrap();
        assert_eq!(document["event_id"], *item.event.event_id);
        if item.schema == 2 {
            later += 1;
            assert_eq!((&document["shift"], &document["rank"]), (&"late".into(), &7.into()));
        }
    }
    assert!(later > 0, "none is of the later schema");
}

#[test]
fn a_rival_has_the_id_of_an_older_event_and_other_content() {
    let mut plan = plan();
    let first = plan.item(0);
    plan.acknowledged(first.clone());
    assert!(plan.rival().is_none(), "too young");
    plan.recent[0].0 -= RIVAL_AGE;
    let rival = plan.rival().unwrap();
    assert_eq!(rival.event.event_id, first.event.event_id);
    assert_eq!(rival.event.timestamp, first.event.timestamp);
    assert_ne!(rival.datum, first.datum);
}
