//! The table and its calculations.

use std::time::Duration;

use super::*;
use harness::usage::Usage;

fn sample(cpu_seconds: f64, peak_mib: u64) -> Sample {
    let usage = Usage { cpu_seconds, peak_bytes: peak_mib << 20 };
    Sample::new(1_000_000, Duration::from_secs(4)).with_usage(usage)
}

fn report() -> Report {
    let mut report = Report::new(3);
    for (floor, indexer) in [(0.5, 2.0), (1.0, 3.0), (0.5, 2.5)] {
        report.add(Line::KafkaFloor, sample(floor, 80));
        report.add(Line::Indexer, sample(indexer, 130));
    }
    report
}

#[test]
fn ratios_compare_samples_of_the_same_round() {
    let summary = report().summary(Line::Indexer).expect("it was measured");
    assert_eq!(summary.cpu_ratio, Some(4.0), "the median of 4, 3 and 5");
    assert_eq!(summary.cpu_seconds_per_million, 2.5);
    assert_eq!(report().summary(Line::KafkaFloor).expect("it was measured").cpu_ratio, None);
    assert!(report().summary(Line::Avro).is_none());
}

#[test]
fn the_table_says_which_aims_are_met() {
    let text = report().to_string();
    let line =
        |what: &str| text.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what} in {text}"));
    assert!(line("CPU time, × floor").ends_with("not met"));
    assert!(line("CPU seconds per million").ends_with("  met"));
    assert!(line("events a second").contains("250,000") && line("events a second").ends_with("not met"));
    assert!(line("peak memory").ends_with("not met"));
    assert!(!text.contains("receiver"), "what was not measured has no line");
}

#[test]
fn the_json_holds_each_round() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("made/report.json");
    report().write(&file).expect("it is written");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON");
    assert_eq!(json["lines"][1]["floor"], "kafka_floor");
    assert_eq!(json["lines"][1]["rounds"][2]["cpu_seconds"], 2.5);
    assert_eq!(json["aims"][0]["aim"]["at_most"], 1.7);
    assert_eq!(json["aims"][0]["met"], false);
}
