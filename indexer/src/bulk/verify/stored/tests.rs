use super::*;
use crate::bulk::outcome::BlockKind;
use crate::bulk::outcome::Trouble;

fn answer(status: u16, body: &str) -> ServerAnswer {
    ServerAnswer { status, body: Bytes::copy_from_slice(body.as_bytes()), is_elasticsearch: true }
}

#[test]
fn documents_and_a_missing_index_are_read_from_the_answer() {
    let found = r#"{"docs":[{"found":true,"_version":1,"_source":{"a":1.10}},{"found":false}]}"#;
    let answer_of_two = answer(200, found);
    let documents = read("x", &answer_of_two, 2).unwrap().unwrap();
    assert_eq!((documents[0].found, documents[0].version), (true, Some(1)));
    assert_eq!(documents[0].source.map(RawValue::get), Some(r#"{"a":1.10}"#), "as it is stored");
    assert!(!documents[1].found && documents[1].source.is_none());

    let gone = r#"{"error":{"type":"index_not_found_exception"},"status":404}"#;
    assert!(read("x", &answer(404, gone), 2).unwrap().is_none());
}

#[test]
fn an_answer_that_does_not_cover_every_document_settles_nothing() {
    let no_shard = r#"{"docs":[{"error":{"type":"no_shard_available_action_exception"}}]}"#;
    let unauthorized = r#"{"docs":[{"error":{"type":"security_exception"}}]}"#;
    let blocked = r#"{"docs":[{"error":{"type":"cluster_block_exception","reason":"why"}}]}"#;
    for (status, body, expected) in [
        (200, r#"{"docs":[]}"#, Ok(Trouble::Unreadable)),
        (200, "<html>", Ok(Trouble::Unreadable)),
        (200, no_shard, Ok(Trouble::Server)),
        (200, unauthorized, Err(BlockKind::Security)),
        (200, blocked, Err(BlockKind::Index)),
        (401, "", Err(BlockKind::Security)),
        (403, r#"{"error":{"type":"security_exception"}}"#, Err(BlockKind::Security)),
        (403, r#"{"error":{"type":"cluster_block_exception"}}"#, Err(BlockKind::Index)),
        (404, "not found", Ok(Trouble::Server)),
        (404, r#"{"error":"Not Found","status":404}"#, Ok(Trouble::Server)),
        (404, r#"{"error":"no handler found for uri [/x/_mget]","status":404}"#, Err(BlockKind::Other)),
        (408, "", Ok(Trouble::TimedOut)),
        (429, "", Ok(Trouble::Overload)),
        (503, "", Ok(Trouble::Server)),
    ] {
        let judged = match read("x", &answer(status, body), 1) {
            Err(Obstacle::Failed(failure)) => Ok(failure.trouble),
            Err(Obstacle::Block(block)) => Err(block.kind),
            Ok(documents) => panic!("{status} {body}: {documents:?}"),
        };
        assert_eq!(judged, expected, "{status} {body}");
    }
}

#[test]
fn documents_are_as_sent_only_if_every_byte_matches() {
    let head = r#"{"_index":"x-000001","_id":"\"_source\":{\\","_version":1,"_seq_no":0,"_primary_term":1,"found":true,"_source":"#;
    let both = format!(r#"{{"docs":[{head}{{"a":1}}}},{head}{{"b":"}},"}}}}]}}"#);
    let is_as_sent =
        |body: &str, ours: &[&str]| are_as_sent(&answer(200, body), ours.iter().map(|ours| ours.as_bytes()));
    assert!(is_as_sent(&both, &[r#"{"a":1}"#, r#"{"b":"},"}"#]));
    assert!(is_as_sent(r#"{"docs":[]}"#, &[]));

    assert!(!are_as_sent(&answer(503, &both), [r#"{"a":1}"#, r#"{"b":"},"}"#].map(str::as_bytes).into_iter()));
    for ours in [
        &[r#"{"a":1}"#] as &[&str],
        &[r#"{"a":1}"#, r#"{"b":"},"}"#, "{}"],
        &[r#"{"b":"},"}"#, r#"{"a":1}"#],
        &["{}", "{}"],
    ] {
        assert!(!is_as_sent(&both, ours), "{ours:?}");
    }
    for body in [
        "<html>".to_owned(),
        format!(r#"{{"docs":[{head}{{"a":1}},"fields":{{}}}}]}}"#),
        format!(r#"{{"docs":[{head}{{"a":1}}}}]"#),
        format!(r#"{{"docs":[{}{{"a":1}}}}]}}"#, head.replace("true", "false")),
        r#"{"docs":[{"_id":"a","found":false}]}"#.to_owned(),
    ] {
        assert!(!is_as_sent(&body, &[r#"{"a":1}"#]), "{body}");
    }
}
