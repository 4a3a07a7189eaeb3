//! The page shows what there is.

use std::collections::HashSet;

use service::metrics::Registry;

use super::*;
use crate::metrics::Metrics;

#[test]
fn each_figure_has_a_name_of_its_own_and_comes_from_a_metric_that_is_registered() {
    let registry = Registry::new();
    let metrics = Metrics::new(&registry).unwrap().of_topic("events");
    metrics.lag.with_label_values(&["events", "0"]);
    metrics.oldest_unsettled.with_label_values(&["events", "0"]);
    metrics.fuse_blown.with_label_values(&["events"]);
    metrics.bulk.blocked.of("index_block");
    let registered: HashSet<String> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
    let unknown: Vec<&str> = LAYOUT.metrics().filter(|metric| !registered.contains(*metric)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let keys: Vec<&str> = LAYOUT.figures().map(|(_, figure)| figure.key).collect();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:?}");
}
