use super::*;

#[test]
fn a_written_origin_is_parsed_only_for_its_own_topic() {
    for timestamp in [Some(1_700_000_000_000), Some(0), Some(-1), None] {
        let first = First { partition: Partition(3), offset: Offset(42), timestamp };
        let header = first.header("events");
        assert_eq!(First::parse("events", header.as_bytes()), Some(first), "{header}");
        assert_eq!(First::parse("event", header.as_bytes()), None, "{header}");
        assert_eq!(First::parse("other", header.as_bytes()), None, "{header}");
    }
}

#[test]
fn malformed_origins_are_not_parsed() {
    for header in [
        "",
        "events",
        "events:",
        "events:1",
        "events:1:2",
        "events:-1:2:3",
        "events:1:-2:3",
        "events:1:2:x",
        "events:1:2:3:4",
        "events:99999999999:2:3",
        "events:1:2:",
        "events :1:2:3",
    ] {
        assert_eq!(First::parse("events", header.as_bytes()), None, "{header}");
    }
    assert_eq!(First::parse("events", b"events:1:2:\xff"), None);
}
