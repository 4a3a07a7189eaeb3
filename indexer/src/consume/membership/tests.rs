use service::admin::Readiness;

use super::*;

fn membership(group_protocol: GroupProtocol, now: Instant) -> (Membership, Condition) {
    let mut config = Config::default();
    config.indexer.group_protocol = group_protocol;
    let kafka = Readiness::new().condition("kafka");
    (Membership::new(&config, kafka.clone(), now), kafka)
}

#[test]
fn a_member_is_ready_once_the_group_has_given_its_assignment() {
    let (mut membership, kafka) = membership(GroupProtocol::Classic, Instant::now());
    assert!(!membership.has_joined() && !kafka.is_met());
    membership.join();
    assert!(membership.has_joined() && kafka.is_met());
    membership.wait();
    assert!(!membership.has_joined() && !kafka.is_met(), "an assignment waits for its committed offsets");
    membership.join();
    assert!(membership.has_joined() && kafka.is_met());
}

#[test]
fn a_member_may_be_a_spare_only_with_protocol_consumer_after_a_while() {
    let now = Instant::now();
    let (membership_of_consumer, _) = membership(GroupProtocol::Consumer, now);
    assert!(!membership_of_consumer.may_be_spare(now + SPARE_AFTER / 2));
    assert!(membership_of_consumer.may_be_spare(now + SPARE_AFTER));
    let (membership_of_classic, _) = membership(GroupProtocol::Classic, now);
    assert!(!membership_of_classic.may_be_spare(now + SPARE_AFTER * 2));
}
