use service::metrics::Registry;

use super::*;

#[test]
fn the_metrics_of_a_partition_that_moved_away_are_removed() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let figures = Figures::new("events", metrics.clone());
    let labels = ["events", "3"];
    figures.lag(Partition(3), Some(7), Duration::from_secs(2));
    figures.lag(Partition(3), None, Duration::from_secs(4));
    assert_eq!(metrics.lag.with_label_values(&labels).get(), 7, "what is not known changes nothing");
    assert!((metrics.oldest_unsettled.with_label_values(&labels).get() - 4.0).abs() < f64::EPSILON);
    figures.forget(Partition(3));
    assert!(metrics.lag.remove_label_values(&labels).is_err(), "it is gone");
    figures.forget(Partition(3));
}
