//! The summary and the picture of a soak.

use super::*;

fn held(second: u64, service: usize, process: u32, mebibytes: u64) -> Held {
    let resources = Resources { resident_bytes: mebibytes << 20, open_files: 40, threads: 7 };
    Held { at: Duration::from_secs(second), service, process, resources }
}

#[test]
fn the_summary_compares_early_with_late() {
    let grown: Vec<Held> = (0..=100).map(|second| held(second, SERVICES, 7, 20 + second)).collect();
    let summary = summary(&grown).expect("a summary");
    let line = summary.lines().find(|line| line.starts_with("indexer 1")).expect("a line");
    assert_eq!(line.split_whitespace().collect::<Vec<_>>()[2..6], ["1", "35", "115", "120"]);
}

#[test]
fn the_picture_has_a_line_for_each_service() {
    let all: Vec<Held> =
        (0..2 * SERVICES).flat_map(|service| [held(0, service, 1, 20), held(60, service, 1, 21)]).collect();
    let picture = draw(&all);
    assert_eq!(picture.panels.len(), QUANTITIES.len());
    assert!(picture.panels.iter().all(|panel| panel.lines.iter().all(|line| line.len() == 2)));
    assert_eq!(picture.names.first().map(String::as_str), Some("receiver 1"));
    assert_eq!(picture.names.last().map(String::as_str), Some("indexer 3"));
}

#[test]
fn nothing_observed_has_no_summary() {
    assert_eq!(summary(&[]), None);
}
