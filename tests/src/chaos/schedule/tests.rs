//! The schedule depends only on the seed, and each kind of fault occurs.

use std::collections::BTreeSet;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_seed_has_one_schedule() {
    assert_eq!(schedule(7, HOUR), schedule(7, HOUR));
    assert_ne!(schedule(7, HOUR), schedule(8, HOUR));
    // A longer run begins like a shorter one.
    let short = schedule(7, HOUR / 60);
    assert!(!short.is_empty());
    assert!(short.iter().all(|step| schedule(7, HOUR).contains(step)));
}

#[test]
fn faults_of_a_lane_follow_each_other() {
    for lane in Lane::ALL {
        let steps: Vec<Step> = schedule(3, HOUR).into_iter().filter(|step| step.lane == lane).collect();
        assert!(steps.len() > 100, "{lane:?}: {}", steps.len());
        assert!(steps.windows(2).all(|pair| pair[0].at + pair[0].lasts < pair[1].at), "{lane:?}");
    }
}

#[test]
fn every_kind_of_fault_happens() {
    let name = |kind: &Kind| format!("{kind:?}").split(['(', ' ']).next().unwrap_or_default().to_owned();
    let found: BTreeSet<String> = (0..20).flat_map(|seed| schedule(seed, HOUR)).map(|step| name(&step.kind)).collect();
    let all = [
        "Alias",
        "Broker",
        "Clock",
        "Close",
        "Contradiction",
        "Copied",
        "Delete",
        "FullDisk",
        "FullQueue",
        "Leader",
        "Node",
        "Partition",
        "Quorum",
        "ReadOnly",
        "Registry",
        "Retention",
        "RollOver",
        "Schema",
        "Service",
        "StrictMapping",
        "Template",
        "Token",
        "Weather",
    ];
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn a_run_registers_only_so_many_schemas() {
    let schemas = |seed| {
        let of = |step: &&Step| matches!(step.kind, Kind::Schema | Kind::Contradiction);
        schedule(seed, HOUR).iter().filter(of).count()
    };
    assert!((0..20).all(|seed| schemas(seed) <= 2));
}

#[test]
fn a_soak_has_one_fault_a_minute_and_keeps_most_processes() {
    let steps = one_a_minute(7, HOUR);
    assert_eq!(steps, one_a_minute(7, HOUR));
    assert_eq!(steps.len(), 60);
    assert!(steps.windows(2).all(|pair| pair[1].at - pair[0].at == MINUTE));
    let ends = |kind| match kind {
        Kind::Service(Service::Receiver(number) | Service::Indexer(number), Loss::Stop | Loss::Kill) => Some(number),
        _ => None,
    };
    let all = || (0..20).flat_map(|seed| one_a_minute(seed, HOUR));
    assert!(all().filter_map(|step| ends(step.kind)).all(|number| number == SERVICES - 1));
    assert!(all().all(|step| !matches!(step.kind, Kind::Retention(_))));
    assert_eq!(all().map(|step| step.lane).collect::<BTreeSet<_>>(), Lane::ALL.into());
}
