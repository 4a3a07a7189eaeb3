//! What rates need.

use super::*;

fn point(value: u64, service: Service, events_per_second: f64, peak_mib: f64) -> Point {
    let cpu_seconds_per_million = if service == Service::Receiver { 40.0 } else { 2.0 };
    let peak_mib = Some(peak_mib);
    Point { value, service, events_per_second, cpu_seconds_per_million, peak_mib, p99_ms: None, mean_age_ms: None }
}

fn points() -> Vec<Point> {
    vec![
        point(1, Service::Indexer, 100_000.0, 60.0),
        point(1, Service::Receiver, 25_000.0, 30.0),
        point(6, Service::Indexer, 200_000.0, 100.0),
        point(6, Service::Receiver, 20_000.0, 40.0),
        point(64, Service::Indexer, 150_000.0, 200.0),
        point(64, Service::Receiver, 10_000.0, 50.0),
    ]
}

#[test]
fn services_are_planned_for_a_part_of_what_they_reached() {
    let needs = needs(&points(), 8);
    let at = |rate: u64| *needs.iter().find(|need| need.events_per_second == rate).expect("a row");
    // A receiver is planned for 14,000/s, an indexer for 140,000/s, a partition for 70,000/s.
    let little = at(100);
    assert_eq!((little.receivers, little.indexers, little.partitions, little.mib), (1, 1, 1, 140.0));
    let much = at(500_000);
    assert_eq!((much.receivers, much.indexers, much.partitions), (36, 4, 8));
    assert_eq!(much.cores, 21.0);
    assert_eq!(much.mib, 36.0 * 40.0 + 4.0 * 100.0);
}

#[test]
fn each_indexer_has_a_partition() {
    let mut points = points();
    points[0].events_per_second = 1e9;
    let needs = needs(&points, 8);
    assert!(needs.iter().all(|need| need.partitions == need.indexers), "{needs:?}");
}

#[test]
fn there_is_no_table_without_both_services() {
    assert!(needs(&[], 8).is_empty());
    assert!(needs(&points()[..1], 8).is_empty());
}

#[test]
fn the_table_has_a_row_for_each_rate() {
    let table = table(&needs(&points(), 8));
    assert_eq!(table.lines().count(), RATES.len() + 2);
    assert_eq!(table.lines().nth(3), Some("| 1,000 | 1 | 1 | 1 | 0.04 | 140 |"));
}
