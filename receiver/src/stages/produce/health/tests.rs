use super::*;

const TIME: Duration = Duration::from_secs(8);

fn reachable() -> Health {
    let health = Health::default();
    health.set_unreachable(false);
    health
}

#[test]
fn a_partition_is_stuck_if_its_records_run_out_of_time_again_and_again() {
    let (health, now) = (reachable(), Instant::now());
    for (seconds, partition) in [(0, 0), (7, 0), (3, 1), (9, 2)] {
        health.note_timed_out("events", partition, now + Duration::from_secs(seconds));
    }
    assert_eq!(health.take_stuck(TIME), None, "none for long enough");
    health.note_accepted("events", 0);
    health.note_timed_out("events", 0, now + Duration::from_secs(10));
    assert_eq!(health.take_stuck(TIME), None, "a record was accepted meanwhile");
    health.note_accepted("events", 2);
    health.note_timed_out("events", 1, now + Duration::from_secs(11));
    assert_eq!(health.take_stuck(TIME), Some(("events".to_owned(), 1)));
    assert_eq!(health.take_stuck(TIME), None, "it begins anew");
}

#[test]
fn a_partition_is_not_stuck_while_its_topic_accepts_no_records() {
    let (health, now) = (reachable(), Instant::now());
    for seconds in [0, 60] {
        health.note_timed_out("events", 0, now + Duration::from_secs(seconds));
    }
    let unwritable = UnwritableTopic { why: String::new(), error: ProduceError::Unavailable };
    health.set_unwritable(HashMap::from([("events".to_owned(), unwritable)]));
    assert_eq!(health.take_stuck(TIME), None);
    health.set_unwritable(HashMap::new());
    health.set_unreachable(true);
    assert_eq!(health.take_stuck(TIME), None);
    health.set_unreachable(false);
    assert!(health.take_stuck(TIME).is_some());
}
