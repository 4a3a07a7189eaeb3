//! Tests closing with a rebalance that the last turn noted. Uses librdkafka's mock cluster, because a real cluster
//! cannot be made to rebalance in exactly that turn.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaApiKey;
use service::admin::Readiness;

use super::*;

const TOPIC: &str = "events";
const PATIENCE: Duration = Duration::from_secs(60);

struct Member {
    cluster: MockCluster<'static, DefaultProducerContext>,
    consumer: BaseConsumer<Group>,
}

impl Member {
    /// Joins the group. The assignment is noted but not handled.
    fn joins() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 4, 1).unwrap();
        let mut config = Config::default();
        config.kafka.brokers = cluster.bootstrap_servers();
        config.kafka.options.insert("heartbeat.interval.ms".to_owned(), "200".to_owned());
        let group = Group::new(Readiness::new().condition("kafka"), Login::new(&config.kafka).unwrap());
        let consumer: BaseConsumer<Group> =
            client_config(&config).unwrap().create_with_context(group).map_err(|error| error.to_string()).unwrap();
        consumer.subscribe(&[TOPIC]).unwrap();
        let member = Self { cluster, consumer };
        member.polls_until_it_is_asked();
        member
    }

    fn polls_until_it_is_asked(&self) {
        let until = Instant::now() + PATIENCE;
        while self.consumer.context().rebalances.lock().unwrap().is_empty() {
            assert!(Instant::now() < until, "the group asks for nothing");
            self.consumer.poll(Duration::from_millis(50));
        }
    }

    /// Handles the assignment as a turn does.
    fn takes_them_up(&self) {
        let Some(Rebalance::Assign(partitions)) = self.consumer.context().next_rebalance() else {
            panic!("no assignment")
        };
        assign(&self.consumer, &partitions).unwrap();
    }

    /// Returns whether the client closes. It would otherwise wait forever, so it closes on a thread of its own.
    fn closes(self) -> bool {
        let Self { cluster, consumer } = self;
        let (done, ended) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            close(&consumer);
            drop(consumer);
            done.send(())
        });
        let ended = ended.recv_timeout(PATIENCE).is_ok();
        drop(cluster);
        ended
    }
}

#[test]
fn it_closes_with_an_unhandled_assignment() {
    assert!(Member::joins().closes());
}

#[test]
fn it_closes_with_an_unhandled_loss_of_partitions() {
    let member = Member::joins();
    member.takes_them_up();
    // The group has removed the member meanwhile.
    let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
    member.cluster.request_errors(RDKafkaApiKey::Heartbeat, &[unknown]);
    member.polls_until_it_is_asked();
    assert!(member.consumer.assignment_lost());
    assert!(member.closes());
}

#[test]
fn it_closes_with_nothing_noted() {
    let member = Member::joins();
    member.takes_them_up();
    assert!(member.closes());
}

#[test]
fn options_cannot_turn_on_automatic_commits() {
    const AUTOMATIC: [&str; 2] = ["enable.auto.commit", "enable.auto.offset.store"];
    let mut config = Config::default();
    config.kafka.options = AUTOMATIC.map(|key| (key.to_owned(), "true".to_owned())).into();
    let client = client_config(&config).unwrap();
    for key in AUTOMATIC {
        assert_eq!(client.get(key), Some("false"), "{key}");
    }
}

#[test]
fn prefetching_is_bounded() {
    let client = client_config(&Config::default()).unwrap();
    for key in ["queued.max.messages.kbytes", "queued.min.messages", "fetch.max.bytes"] {
        assert!(client.get(key).is_some(), "{key}");
    }
}

/// A static one is to be back before its partitions move.
#[test]
fn a_member_that_died_is_given_up_soon_unless_it_comes_back_by_its_name() {
    let mut config = Config::default();
    assert_eq!(client_config(&config).unwrap().get("session.timeout.ms"), Some(SESSION_TIMEOUT_MS));
    config.indexer.group_instance_id = Some("indexer-0".to_owned());
    let client = client_config(&config).unwrap();
    assert_eq!((client.get("session.timeout.ms"), client.get("group.instance.id")), (None, Some("indexer-0")));
}
