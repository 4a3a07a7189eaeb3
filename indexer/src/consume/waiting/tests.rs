use kafka::position::Offset;
use registry::wire::SchemaId;
use service::admin::Readiness;

use super::*;
use crate::message::record::{Headers, Record};
use crate::message::target::Route;

const P: Partition = Partition(0);

#[test]
fn a_record_waits_for_a_schema_a_table_or_the_clock() {
    let mut waiting = Waiting::new(Readiness::new().condition("schema_registry"));
    for (need, reason) in [
        (Need::Schema(SchemaId(1)), "schema"),
        (Need::Table(Route(0), now_millis() - 60_000), "table"),
        (Need::Table(Route(0), now_millis() + 60_000), "ahead"),
    ] {
        assert_eq!(waiting.reason(&Waits { partition: P, need, ask: true }, "events"), reason);
    }
    assert_eq!(waiting.ahead, 1);
}

#[test]
fn the_registry_is_ready_again_once_no_record_waits_for_it() {
    let schemas = Readiness::new().condition("schema_registry");
    let waiting = Waiting::new(schemas.clone());
    assert!(schemas.is_met());
    let mut parked = Parked::default();
    let headers = Headers::default();
    let record = Record { partition: P, offset: Offset(0), timestamp: None, key: None, value: None, headers };
    let need = Need::Schema(SchemaId(1));
    parked.park(&record, need);
    schemas.unmet("it is down");
    waiting.end(&parked);
    assert!(!schemas.is_met(), "a record waits");
    parked.release(need);
    waiting.end(&parked);
    assert!(schemas.is_met());
}
