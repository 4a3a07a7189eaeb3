//! Tests which index sets can be replaced.

use std::sync::Arc;
use std::time::Duration;

use service::admin::Readiness;
use service::backoff::Backoff;
use service::metrics::Registry;

use super::*;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::Stub;
use crate::elasticsearch::Client;
use crate::index::{IndexSettings, Requests};
use crate::metrics::Metrics;

/// Returns an index that `stub` answers for.
pub(super) fn index(stub: &Stub) -> Index {
    let config = config(&stub.url());
    let client = Arc::new(Client::new(&config.elasticsearch).unwrap());
    let backoff = Backoff { initial: Duration::from_millis(1), max: Duration::from_millis(5) };
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let settings = IndexSettings::of(&config).unwrap();
    Index::new(Requests::new(client), settings, backoff, Readiness::new().condition("index"), metrics)
}

fn behind(names: &[&str]) -> Vec<Member> {
    names.iter().map(|name| Member { index: (*name).to_owned(), is_write_index: false }).collect()
}

#[test]
fn a_set_without_an_alias_is_refused_with_the_reason() {
    let refused = |strategy, behind: &[Member]| obstacle(strategy, Expired::Oldest, "events", "events-v2", behind);
    assert!(refused(Strategy::DataStream, &[]).unwrap().contains("no alias"));
    assert!(refused(Strategy::Time, &behind(&["events-2026.11.28"])).unwrap().contains("named by their day"));
    assert!(refused(Strategy::Single, &[]).unwrap().contains("is not an alias"));
    assert_eq!(refused(Strategy::Single, &behind(&["events-v1"])), None);
}

#[test]
fn a_new_backing_index_must_have_a_higher_number() {
    let behind = behind(&["events-000002", "events-000009", "events-archive"]);
    let refused = |into| obstacle(Strategy::Rollover, Expired::Oldest, "events", into, &behind);
    for into in ["events-v2", "events-000009", "other-000010", "shrink-x-events-000011"] {
        assert!(refused(into).unwrap().ends_with("--into events-000010"), "{into}");
    }
    assert_eq!(refused("events-000010"), None);
    assert!(obstacle(Strategy::Rollover, Expired::Skip, "events", "events-000010", &behind).is_some());
}

#[test]
fn additional_documents_are_not_a_lack() {
    let comparison = Comparison { old: 10, new: 11, sample: 10, missing: 0, different: 2 };
    assert!(!comparison.lacks());
    assert!(Comparison { new: 9, ..comparison }.lacks());
    assert!(Comparison { missing: 1, ..comparison }.lacks());
}
