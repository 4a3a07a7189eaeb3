use super::*;

#[test]
fn witnesses_are_renewed_by_age_and_bounded_in_number() {
    let (mut witnesses, start) = (Witnesses::new(false), Instant::now());
    let lines = |id: u64| format!("{{\"create\":{{\"_index\":\"i\",\"_id\":\"{id}\"}}}}\n{{}}\n");
    for number in 0..100 {
        let now = start + Duration::from_secs(number);
        assert!(witnesses.offer(&Arc::from(format!("events-{number}")), lines(number).as_bytes(), now));
    }
    assert_eq!(witnesses.kept.len(), MAX_INDICES);
    let kept = witnesses.get("events-99").unwrap();
    assert_eq!((kept.id.as_str(), &kept.lines[..]), ("99", &b"{\"create\":{\"_id\":\"99\"}}\n{}\n"[..]));
    let index = Arc::from("events-99");
    for (second, id) in [(100, "99"), (109, "109")] {
        witnesses.offer(&index, lines(second).as_bytes(), start + Duration::from_secs(second));
        assert_eq!(witnesses.get("events-99").unwrap().id, id);
    }
    let large = format!("{{\"create\":{{\"_id\":\"1\"}}}}\n{{\"a\":\"{}\"}}\n", "x".repeat(MAX_BYTES));
    assert!(!witnesses.offer(&Arc::from("large"), large.as_bytes(), start));
}

#[test]
fn the_witness_of_a_data_stream_is_never_written() {
    let mut witnesses = Witnesses::new(true);
    let lines = b"{\"create\":{\"_id\":\"a \\\"b\\\"\"}}\n{\"x\":1}\n";
    assert!(witnesses.offer(&Arc::from("stream"), lines, Instant::now()));
    let sent = witnesses.get("stream").unwrap().lines;
    let sent: Vec<serde_json::Value> =
        std::str::from_utf8(&sent).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let action = json!({"index": {"_id": "a \"b\"", "if_seq_no": i64::MAX, "if_primary_term": 1}});
    assert_eq!(sent, [action, json!({"x": 1})]);
}
