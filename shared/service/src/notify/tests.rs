//! The status line.

use super::*;

#[test]
fn the_status_lists_unmet_conditions_or_remarks() {
    let readiness = Readiness::new();
    assert_eq!(status(&readiness), "not ready; service: starting");
    let (kafka, schemas) = (readiness.condition("kafka"), readiness.condition("schemas"));
    kafka.met();
    schemas.unmet("no subject");
    assert_eq!(status(&readiness), "not ready; schemas: no subject");
    schemas.met_but("one is old");
    assert_eq!(status(&readiness), "ready; schemas: one is old");
}

#[test]
fn a_reason_is_cut_and_cannot_inject_an_assignment() {
    let readiness = Readiness::new();
    let condition = readiness.condition("index");
    condition.unmet("refused\nREADY=1\r\nMAINPID=1");
    assert_eq!(status(&readiness), "not ready; index: refused READY=1  MAINPID=1");
    condition.unmet("ü".repeat(10_000));
    assert_eq!(status(&readiness).chars().count(), MAX_STATUS);
}
