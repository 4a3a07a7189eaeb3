//! The files of the results.

use super::*;
use crate::growth::point::{Point, Service};
use crate::sample::Sample;

fn results() -> Results {
    let mut results = Results::new(8);
    for curve in [Curve::Connections, Curve::Partitions] {
        let sample = Sample::new(40_000, std::time::Duration::from_secs(2));
        let services = [Service::Indexer, Service::Receiver];
        let points = services.map(|service| Point::of(8, service, &sample)).to_vec();
        results.add(Measured { curve, points });
    }
    results
}

#[test]
fn each_curve_has_its_points_in_the_json_and_a_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("made/growth.json");
    results().write(&json, folder.path()).expect("it is written");
    let json: Value = serde_json::from_slice(&std::fs::read(json).expect("a file")).expect("JSON");
    assert_eq!(json["curves"][1]["curve"], "partitions");
    assert_eq!(json["curves"][1]["points"][0]["service"], "indexer");
    assert_eq!(json["curves"][1]["points"][0]["value"], 8);
    assert_eq!(json["curves"][1]["points"][0]["events_per_second"], 20_000.0);
    assert_eq!(json["sizing"][0]["events_per_second"], 100);
    for name in ["growth-connections.svg", "growth-partitions.svg"] {
        let picture = std::fs::read_to_string(folder.path().join(name)).expect("a picture");
        assert!(picture.contains("<svg"), "{name}: {picture}");
    }
}

#[test]
fn the_text_has_a_line_for_each_point() {
    let text = results().to_string();
    let receivers = text.lines().filter(|line| line.starts_with("8 ") && line.contains("receiver"));
    assert_eq!(receivers.count(), 2, "{text}");
    assert!(text.contains("connections to the receiver") && text.contains("| events/s |"), "{text}");
}

#[test]
fn there_are_no_sizes_without_the_curve_of_partitions() {
    let mut results = results();
    results.curves.retain(|curve| curve.curve != Curve::Partitions);
    assert!(results.needs().is_empty());
    assert_eq!(results.json()["sizing"], json!([]));
}
