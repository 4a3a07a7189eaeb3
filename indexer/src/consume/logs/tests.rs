use kafka::position::Offset;

use super::super::jump::Jump;
use super::super::marks::Seen;
use super::*;
use crate::message::record::{Headers, Record};

const P: Partition = Partition(0);
const ID: &str = "topic-id=00000000000000000000000000000007";

fn record(offset: i64) -> Record<'static> {
    let headers = Headers::default();
    Record { partition: P, offset: Offset(offset), timestamp: Some(5), key: None, value: None, headers }
}

#[test]
fn a_commit_carries_its_topic_and_the_mark_before_it() {
    let mut logs = Logs::default();
    assert_eq!(logs.metadata(P, NextOffset(8), None), None);
    logs.identity.assign(P, ID);
    assert_eq!(logs.marks.see(&record(7)), Seen::New);
    logs.marks.send();
    let metadata = logs.metadata(P, NextOffset(8), Some("note")).unwrap();
    let parts: Vec<&str> = metadata.split(';').collect();
    assert!(parts.len() == 3 && parts[0] == ID && parts[1].starts_with("last=") && parts[2] == "note", "{metadata}");
}

#[test]
fn a_new_assignment_discards_everything_but_the_topic() {
    let mut logs = Logs::default();
    logs.identity.assign(P, ID);
    logs.begin(P, Some(NextOffset(3)));
    logs.lag.note(P, NextOffset(0), NextOffset(10));
    assert_eq!(logs.lag.of(P), Some(7));
    logs.marks.see(&record(7));
    logs.marks.send();
    logs.gaps.begin(vec![Jump { partition: P, from: NextOffset(1), to: Offset(5) }], [(P, NextOffset(8))].into());
    logs.begin(P, None);
    assert_eq!(logs.lag.of(P), None);
    assert_eq!(logs.gaps.losses(P, NextOffset(9), Some(NextOffset(8))), []);
    assert_eq!(logs.metadata(P, NextOffset(8), None).as_deref(), Some(ID));
    logs.revoke(P);
    assert_eq!(logs.metadata(P, NextOffset(8), None), None);
}
