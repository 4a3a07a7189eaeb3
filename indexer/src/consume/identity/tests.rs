use super::*;

const P: Partition = Partition(0);
const Q: Partition = Partition(1);

fn id(number: u32) -> TopicId {
    format!("{number:032x}").parse().unwrap()
}

#[test]
fn offsets_of_another_topic_are_not_used_until_reading_begins_again() {
    let mut identity = Identity::default();
    identity.assign(P, &format!("{PREFIX}{}", id(1)));
    identity.assign(Q, "");
    assert!(identity.strangers().is_empty(), "nobody knows the id yet");
    identity.note(id(2));
    assert_eq!(identity.strangers(), [P], "an offset without an id is trusted");
    assert_eq!(identity.metadata(P), Some(format!("{PREFIX}{}", id(1))), "it still belongs to the old topic");
    identity.begin_at_start(P);
    assert!(identity.strangers().is_empty());
    assert_eq!(identity.metadata(P), Some(format!("{PREFIX}{}", id(2))));
}

#[test]
fn re_creating_a_topic_invalidates_all_its_partitions() {
    let mut identity = Identity::default();
    identity.assign(P, "");
    identity.note(id(1));
    identity.assign(Q, &format!("{PREFIX}{}", id(1)));
    identity.note(id(1));
    assert!(identity.strangers().is_empty());
    identity.note(id(2));
    assert_eq!(identity.strangers(), [P, Q]);
    identity.revoke(Q);
    assert_eq!(identity.strangers(), [P]);
}

/// Nothing is committed yet, or a tool has moved the offset.
#[test]
fn an_offset_without_an_id_belongs_to_the_topic_at_its_assignment() {
    let mut identity = Identity::default();
    identity.note(id(1));
    identity.assign(P, "");
    identity.note(id(2));
    assert_eq!(identity.strangers(), [P], "the topic was created again right after the assignment");
}

#[test]
fn the_id_is_found_among_other_parts_of_the_metadata() {
    let mut identity = Identity::default();
    let parts = [Some(metadata_of(id(1))), Some("last=2a".to_owned()), Some("replay from=1".to_owned())];
    identity.assign(P, &joined(parts).unwrap());
    identity.note(id(2));
    assert_eq!(identity.strangers(), [P]);
    assert_eq!((id_in("replay from=1"), joined([None, None, None])), (None, None));
}

#[test]
fn without_topic_ids_offsets_are_trusted() {
    let mut identity = Identity::default();
    identity.assign(P, "what a tool wrote");
    assert!(identity.strangers().is_empty());
    assert_eq!(identity.metadata(P), None);
}
