//! The schemas of the events.

use super::*;
use crate::event::Events;

fn feed(schema_ids: &[u32]) -> Feed {
    let mix = Mix::good(Events::new(0, 0));
    Feed { brokers: String::new(), topic: String::new(), schema_ids: schema_ids.to_vec(), mix, per_second: None }
}

#[test]
fn the_schemas_of_a_feed_are_used_in_turn() {
    let feed = feed(&[7, 9]);
    let ids: Vec<SchemaId> = (0..4).map(|number| feed.schema_id(number).expect("an id")).collect();
    assert_eq!(ids, [7, 9, 7, 9].map(SchemaId));
}

#[test]
fn a_feed_without_a_schema_is_refused() {
    feed(&[]).schema_id(0).expect_err("there is none");
}
