use rdkafka::consumer::BaseConsumer;

use super::*;

fn bounded(max_in_flight_bytes: u64) -> ClientConfig {
    let mut client = ClientConfig::new();
    bound(&mut client, max_in_flight_bytes);
    client
}

#[test]
fn all_limits_follow_from_one_number() {
    let client = bounded(64 * 1024 * 1024);
    assert_eq!(client.get("queued.max.messages.kbytes"), Some("16384"));
    assert_eq!(client.get("queued.min.messages"), Some("32768"));
    assert_eq!(client.get("fetch.max.bytes"), Some("4194304"));
    assert_eq!(client.get("fetch.message.max.bytes"), Some("1048576"));
}

#[test]
fn librdkafka_accepts_the_limits_for_any_number() {
    for bytes in [0, 1, 1024 * 1024, 64 * 1024 * 1024, 4 * 1024 * 1024 * 1024] {
        let client: Result<BaseConsumer, _> = bounded(bytes).create();
        assert!(client.is_ok(), "{bytes}: {:?}", client.err());
    }
}

#[test]
fn configured_limits_are_kept() {
    let mut client = ClientConfig::new();
    client.set("fetch.max.bytes", "5000000");
    bound(&mut client, 64 * 1024 * 1024);
    assert_eq!(client.get("fetch.max.bytes"), Some("5000000"));
}

#[test]
fn a_larger_message_limit_raises_the_response_limit() {
    let mut client = ClientConfig::new();
    client.set("message.max.bytes", "20000000");
    bound(&mut client, 64 * 1024 * 1024);
    assert_eq!(client.get("fetch.max.bytes"), Some("20000000"));
    let client: Result<BaseConsumer, _> = client.create();
    assert!(client.is_ok(), "{:?}", client.err());
}
