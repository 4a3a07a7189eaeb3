use service::admin::Readiness;

use super::super::tests::member;
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

/// On librdkafka's mock cluster. A spare member has no partition, now and perhaps for ever.
#[test]
fn a_spare_member_is_ready_while_the_cluster_answers() {
    let (subscription, _, cluster) = member();
    let now = Instant::now();
    let (mut consumer, kafka) = membership(GroupProtocol::Consumer, now);
    consumer.probe(&subscription, now + SPARE_AFTER / 2);
    assert!(!kafka.is_met(), "it may still get one");
    consumer.probe(&subscription, now + SPARE_AFTER);
    assert!(kafka.is_met());
    kafka.unmet("the cluster was away");
    consumer.probe(&subscription, now + SPARE_AFTER * 2);
    assert!(kafka.is_met(), "it is back");

    let (mut classic, kafka) = membership(GroupProtocol::Classic, now);
    classic.probe(&subscription, now + SPARE_AFTER);
    assert!(!kafka.is_met(), "the group tells this one that it is a spare");
    classic.join();
    kafka.unmet("the cluster was away");
    classic.probe(&subscription, now + SPARE_AFTER * 2);
    assert!(kafka.is_met(), "it is back");
    subscription.close();
    drop(subscription);
    drop(cluster);
}
