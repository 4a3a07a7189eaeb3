//! Figures computed from real registries.

use crate::metrics::Registry;

use super::*;
use crate::metrics::{counters, gauges, histograms};
use crate::status::layout::{Column, Unit, all, except, only};

#[test]
fn sums_and_rates_use_the_selected_series() {
    let registry = Registry::new();
    let requests = counters(&registry, "requests_total", "Requests.", &["outcome"]).unwrap();
    requests.with_label_values(&["accepted"]).inc_by(10);
    requests.with_label_values(&["refused"]).inc_by(3);
    let before = registry.gather();
    requests.with_label_values(&["accepted"]).inc_by(20);
    requests.with_label_values(&["refused"]).inc();
    let now = registry.gather();
    let figure = |measure| figure(measure, &read(&before, measure), &read(&now, measure), 5.0);
    assert_eq!(figure(Measure::Sum(all("requests_total"))), 34.0);
    assert_eq!(figure(Measure::Max(all("requests_total"))), 30.0);
    assert_eq!(figure(Measure::PerSecond(only("requests_total", "outcome", "accepted"))), 4.0);
    assert_eq!(figure(Measure::PerMinute(except("requests_total", "outcome", "accepted"))), 12.0);
    assert!(figure(Measure::Sum(all("none_total"))).is_nan());
}

#[test]
fn a_rate_needs_two_readings() {
    let registry = Registry::new();
    counters(&registry, "requests_total", "Requests.", &["outcome"]).unwrap().with_label_values(&["a"]).inc();
    let measure = Measure::PerSecond(all("requests_total"));
    assert!(figure(measure, &[], &read(&registry.gather(), measure), 5.0).is_nan());
}

#[test]
fn the_99th_percentile_covers_all_series_since_the_last_sample() {
    let registry = Registry::new();
    let times = histograms(&registry, "seconds", "Times.", &["source"], &[0.1, 1.0, 10.0]).unwrap();
    let measure = Measure::Within99(all("seconds"));
    times.with_label_values(&["a"]).observe(9.0);
    let before = read(&registry.gather(), measure);
    let of_now = || figure(measure, &before, &read(&registry.gather(), measure), 5.0);
    assert!(of_now().is_nan(), "nothing was observed since then");
    (0..50).for_each(|_| times.with_label_values(&["a"]).observe(0.05));
    (0..50).for_each(|_| times.with_label_values(&["b"]).observe(0.05));
    assert!((of_now() - 0.099).abs() < 1e-9, "{}", of_now());
    (0..100).for_each(|_| times.with_label_values(&["b"]).observe(99.0));
    assert_eq!(of_now(), 10.0, "no more is known than the highest bound");
}

#[test]
fn each_row_shows_sums_words_and_labels() {
    const COLUMNS: &[Column] = &[
        Column { name: "lag", metric: "lag", show: Show::Sum(Unit::Count) },
        Column { name: "breaker", metric: "breaker", show: Show::Word(&["closed", "probing", "open"]) },
        Column { name: "blocked", metric: "blocked", show: Show::Label("reason") },
    ];
    let registry = Registry::new();
    let lag = gauges(&registry, "lag", "Lag.", &["topic", "partition"]).unwrap();
    for (topic, partition, value) in [("a", "0", 2), ("a", "1", 3), ("b", "0", 0)] {
        lag.with_label_values(&[topic, partition]).set(value);
    }
    gauges(&registry, "breaker", "Breaker.", &["topic"]).unwrap().with_label_values(&["a"]).set(2);
    let blocked = gauges(&registry, "blocked", "Blocked.", &["topic", "reason"]).unwrap();
    blocked.with_label_values(&["a", "security"]).set(0);
    blocked.with_label_values(&["a", "index_block"]).set(1);
    let rows = rows(&registry.gather(), &Parts { title: "Topics", label: "topic", columns: COLUMNS });
    let text = |text: &str| Some(Cell::Text(text.to_owned()));
    let number = |value| Some(Cell::Number { value, unit: Unit::Count });
    assert_eq!(rows["a"], [number(5.0), text("open"), text("index_block")]);
    assert_eq!(rows["b"], [number(0.0), None, None]);
}
