//! The contents of a picture.

use super::*;
use crate::growth::curve::Curve;
use crate::growth::point::Point;
use crate::plot::svg;
use crate::sample::Sample;

fn point(value: u64, service: Service, events: u64) -> Point {
    Point::of(value, service, &Sample::new(events, std::time::Duration::from_secs(1)))
}

#[test]
fn a_picture_shows_each_quantity_and_each_service() {
    let points = vec![
        point(1, Service::Indexer, 200_000),
        point(1, Service::Receiver, 20_000),
        Point { mean_age_ms: Some(250.0), ..point(64, Service::Indexer, 250_000) },
        point(64, Service::Receiver, 18_000),
    ];
    let svg = svg(&of(&Measured { curve: Curve::Partitions, points })).expect("a picture");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    for text in ["events/s", "CPU-s per M", "mean age ms", "partitions of the topic", "receiver", "indexer", "64"] {
        assert!(svg.lines().any(|line| line.trim() == text || line.ends_with(&format!(">{text}"))), "no {text}: {svg}");
    }
    assert!(!svg.contains("peak MiB"), "what was not measured has no panel");
    assert!(!svg.contains("href") && !svg.contains("url("), "a picture uses no other file");
}
