//! The page shows only registered metrics.

use std::collections::HashSet;

use service::metrics::Registry;

use super::*;
use crate::metrics::Metrics;

#[test]
fn each_figure_has_a_unique_key_and_a_registered_metric() {
    let registry = Registry::new();
    Metrics::new(&registry).unwrap();
    let registered: HashSet<String> = registry.declared().into_iter().map(|declared| declared.name).collect();
    let unknown: Vec<&str> = LAYOUT.metrics().filter(|metric| !registered.contains(*metric)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let keys: Vec<&str> = LAYOUT.figures().map(|(_, figure)| figure.key).collect();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:?}");
}
