use super::*;

const P: Partition = Partition(0);

#[test]
fn a_position_of_an_earlier_assignment_is_ignored_until_it_changes() {
    let mut positions = Positions::default();
    let at = |next| BTreeMap::from([(P, NextOffset(next))]);
    positions.distrust(&at(7), &[P]);
    assert!(positions.is_stale(P, NextOffset(7)));
    assert!(!positions.is_stale(P, NextOffset(9)));
    assert!(!positions.is_stale(P, NextOffset(7)), "it is of this assignment: the client went back");
}

#[test]
fn a_position_is_trusted_if_the_client_had_none_at_assignment() {
    let mut positions = Positions::default();
    positions.distrust(&BTreeMap::from([(P, NextOffset(7))]), &[P]);
    positions.distrust(&BTreeMap::new(), &[P]);
    assert!(!positions.is_stale(P, NextOffset(7)));
}
