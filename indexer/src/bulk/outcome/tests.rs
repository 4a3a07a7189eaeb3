use super::*;

mod servers;

/// Returns the outcome of one item with `status`; `rest` follows the status in the JSON.
fn one(status: u16, rest: &str) -> Fate {
    let body = format!(
        r#"{{"errors":true,"took":3,"items":[{{"create":{{"_index":"e","_id":"1","status":{status}{rest}}}}}]}}"#
    );
    match judge(200, body.as_bytes(), 1) {
        Judgement::Items(mut fates) => fates.remove(0),
        other => panic!("{other:?}"),
    }
}

fn failed(status: u16, error_type: &str) -> Fate {
    one(status, &format!(r#","error":{{"type":"{error_type}","reason":"why"}}"#))
}

fn whole(status: u16, error_type: &str) -> Judgement {
    let error = format!(r#"{{"type":"{error_type}","reason":"why"}}"#);
    let body =
        format!(r#"{{"error":{{"root_cause":[{error}],"type":"{error_type}","reason":"why"}},"status":{status}}}"#);
    judge(status, body.as_bytes(), 3)
}

#[track_caller]
fn assert_refused(fate: Fate, status: u16, error_type: &str) {
    match fate {
        Fate::Refused(refusal) => assert_eq!((refusal.status, refusal.error_type.as_str()), (status, error_type)),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_doubtful(fate: Fate, status: u16, error_type: &str) {
    match fate {
        Fate::Doubtful(refusal) => assert_eq!((refusal.status, refusal.error_type.as_str()), (status, error_type)),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_blocked(fate: Fate, kind: BlockKind) {
    match fate {
        Fate::Blocked(block) => assert_eq!(block.kind, kind),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_again(fate: Fate, trouble: Trouble) {
    match fate {
        Fate::Retry(failure) => assert_eq!(failure.trouble, trouble),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_unreadable(judgement: &Judgement) {
    let is_unreadable = matches!(judgement, Judgement::Retry(failure) if failure.trouble == Trouble::Unreadable);
    assert!(is_unreadable, "{judgement:?}");
}

/// The fast path must agree with the parser, including the answers that it must not take.
#[test]
fn the_fast_path_recognises_exactly_the_answers_with_only_created_items() {
    let item = r#"{"create":{"status":201}}"#;
    for count in [1, 2, 7] {
        let body = format!(r#"{{"items":[{}]}}"#, vec![item; count].join(","));
        assert!(answer::are_all_created(body.as_bytes(), count));
        let spaced = body.replace(':', ": ");
        assert!(!answer::are_all_created(spaced.as_bytes(), count));
        assert_eq!(judge(200, body.as_bytes(), count), judge(200, spaced.as_bytes(), count));
        for wrong in [count - 1, count + 1] {
            assert!(!answer::are_all_created(body.as_bytes(), wrong));
            assert!(matches!(judge(200, body.as_bytes(), wrong), Judgement::Retry(_)));
        }
        for other in [
            body.replacen("201", "409", 1),
            body.replacen("create", "delete", 1),
            body.replacen("}},", "}}.", 1).replacen("}}]", "}}.", 1),
            body.replacen(r#"{"status""#, r#"{"failure_store":"used","status""#, 1),
            body[1..].to_owned(),
            format!("{body} "),
        ] {
            assert!(!answer::are_all_created(other.as_bytes(), count), "{other}");
        }
    }
    assert!(!answer::are_all_created(br#"{"items":[]}"#, 0), "left to the long way");
}

#[test]
fn a_written_item_is_indexed() {
    assert_eq!(one(201, ""), Fate::Indexed);
    assert_eq!(
        one(201, r#","result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":0"#),
        Fate::Indexed
    );
}

#[test]
fn items_of_every_action_are_read() {
    for action in ["create", "index", "update", "delete"] {
        let body = format!(r#"{{"items":[{{"{action}":{{"status":200}}}}]}}"#);
        let fate = if action == "create" { Fate::Dropped } else { Fate::Indexed };
        assert_eq!(judge(200, body.as_bytes(), 1), Judgement::Items(vec![fate]), "{action}");
    }
}

/// As the processor `drop` of an ingest pipeline has it answered: with `create` the status says it, with `index` only
/// the result.
#[test]
fn what_an_ingest_pipeline_drops_is_not_written() {
    for (action, item, expected) in [
        ("create", r#"{"_version":-3,"result":"noop","status":200}"#, Fate::Dropped),
        ("create", r#"{"status":200}"#, Fate::Dropped),
        ("create", r#"{"status":201}"#, Fate::Indexed),
        ("index", r#"{"_version":-3,"result":"noop","status":200}"#, Fate::Dropped),
        ("index", r#"{"result":"updated","status":200}"#, Fate::Indexed),
        ("index", r#"{"result":"created","status":201}"#, Fate::Indexed),
    ] {
        let body = format!(r#"{{"items":[{{"{action}":{item}}}]}}"#);
        assert_eq!(judge(200, body.as_bytes(), 1), Judgement::Items(vec![expected]), "{action} {item}");
    }
}

#[test]
fn a_version_conflict_is_a_duplicate() {
    assert_eq!(failed(409, "version_conflict_engine_exception"), Fate::Duplicate(None));
    assert_doubtful(failed(409, "something_else_exception"), 409, "something_else_exception");
}

#[test]
fn a_fault_of_the_document_is_refused() {
    for error_type in [
        "mapper_parsing_exception",   // Elasticsearch up to 8.7, and OpenSearch
        "document_parsing_exception", // Elasticsearch since 8.8
        "max_bytes_length_exceeded_exception",
        "x_content_parse_exception",
    ] {
        assert_refused(failed(400, error_type), 400, error_type);
    }
}

#[test]
fn a_refusal_of_unknown_cause_is_doubtful() {
    for error_type in ["illegal_argument_exception", "illegal_state_exception", "an_exception_of_the_future"] {
        assert_doubtful(failed(400, error_type), 400, error_type);
    }
    for status in [402, 403, 404, 405, 413, 422] {
        assert_doubtful(failed(status, "odd_exception"), status, "odd_exception");
    }
    assert_doubtful(one(400, ""), 400, "none");
    assert_doubtful(one(403, ""), 403, "none");
}

#[test]
fn server_errors_for_one_document_are_faulted_or_not_mapped() {
    for (status, error_type) in [
        (500, "fail_processor_exception"),
        (500, "null_pointer_exception"),
        (501, "odd"),
        (408, "status_exception"), // a processor of an ingest pipeline took too long
    ] {
        let fate = failed(status, error_type);
        assert!(matches!(&fate, Fate::Faulted(refusal) if refusal.error_type == error_type), "{fate:?}");
    }
    let fate = failed(400, "strict_dynamic_mapping_exception");
    assert!(matches!(&fate, Fate::NotMapped(refusal) if refusal.status == 400), "{fate:?}");
}

#[test]
fn a_refusal_contains_the_reason_and_its_cause() {
    // As Elasticsearch 8.19 answers.
    let fate = one(
        400,
        r#","error":{"type":"document_parsing_exception","reason":"[1:6] failed to parse field [a] of type [long]","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \"x\""}}"#,
    );
    let Fate::Refused(refusal) = fate else { panic!("{fate:?}") };
    assert_eq!(refusal.reason, r#"[1:6] failed to parse field [a] of type [long]: For input string: "x""#);
}

#[test]
fn a_reason_is_capped_at_a_character_boundary() {
    let fate = one(400, &format!(r#","error":{{"type":"t","reason":"{}"}}"#, "ü".repeat(9_999)));
    let Fate::Doubtful(refusal) = fate else { panic!("{fate:?}") };
    assert_eq!(refusal.reason.len(), 1_024);
}

#[test]
fn an_item_refused_for_overload_is_retried() {
    assert_again(failed(429, "es_rejected_execution_exception"), Trouble::Overload);
    assert_again(failed(429, "circuit_breaking_exception"), Trouble::Overload);
    assert_again(one(429, ""), Trouble::Overload);
}

#[test]
fn an_item_that_fails_in_elasticsearch_is_retried() {
    for (status, error_type) in [
        (500, "i_o_exception"),
        (500, "node_closed_exception"),
        (500, "not_cluster_manager_exception"),
        (503, "unavailable_shards_exception"),
        (503, "cluster_block_exception"), // no master, or not recovered yet
        (504, "process_cluster_event_timeout_exception"),
        (404, "shard_not_found_exception"),
        (404, "index_shard_closed_exception"),
        (404, "shard_not_in_primary_mode_exception"),
    ] {
        assert_again(failed(status, error_type), Trouble::Server);
    }
    for status in [100, 202, 302, 600] {
        assert_again(one(status, ""), Trouble::Unreadable);
    }
}

#[test]
fn errors_that_only_an_operator_can_fix_block() {
    assert_blocked(failed(403, "cluster_block_exception"), BlockKind::Index);
    assert_blocked(failed(429, "cluster_block_exception"), BlockKind::Index); // the disk's flood stage, since 7.4
    assert_blocked(failed(400, "index_closed_exception"), BlockKind::Closed);
    assert_blocked(failed(400, "validation_exception"), BlockKind::Other); // the limit of shards is reached
    for status in [401, 403] {
        assert_blocked(failed(status, "security_exception"), BlockKind::Security);
    }
    assert_blocked(one(401, ""), BlockKind::Security);
}

#[test]
fn a_block_contains_the_index_and_elasticsearchs_reason() {
    // As Elasticsearch 8.19 answers.
    let fate = one(
        403,
        r#","error":{"type":"cluster_block_exception","reason":"index [t1] blocked by: [FORBIDDEN/8/index write (api)];"}"#,
    );
    let Fate::Blocked(block) = fate else { panic!("{fate:?}") };
    let text = block.to_string();
    for part in ["index_block", "403", "cluster_block_exception", "[t1]", "index.blocks"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_missing_index_is_distinguished_from_other_404s() {
    assert!(matches!(failed(404, "index_not_found_exception"), Fate::IndexMissing(_)));
    assert_eq!(whole(404, "index_not_found_exception"), Judgement::IndexMissing);
}

/// The answer does not say why. It may be the fault of the stream: a block, a circuit breaker, a missing pipeline.
#[test]
fn a_document_in_the_failure_store_is_doubtful() {
    assert_doubtful(one(201, r#","failure_store":"used""#), 201, FAILURE_STORE);
    let stored = r#"{"create":{"status":201,"failure_store":"used"}}"#;
    let body = format!(r#"{{"items":[{stored},{{"create":{{"status":201}}}}]}}"#);
    let Judgement::Items(fates) = judge(200, body.as_bytes(), 2) else { panic!("{body}") };
    assert!(matches!(fates[0], Fate::Doubtful(_)), "another document proves nothing about its shard: {fates:?}");
    for status in ["not_applicable_or_unknown", "not_enabled", "failed"] {
        assert_eq!(one(201, &format!(r#","failure_store":"{status}""#)), Fate::Indexed);
    }
    assert_doubtful(one(400, r#","failure_store":"failed","error":{"type":"t","reason":"r"}"#), 400, "t");
}

#[test]
fn each_item_is_judged_on_its_own() {
    let body = br#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":403,"error":{"type":"cluster_block_exception"}}},{"index":{"status":409,"error":{"type":"version_conflict_engine_exception"}}}]}"#;
    let Judgement::Items(fates) = judge(200, body, 3) else { panic!() };
    assert_eq!(fates[0], Fate::Indexed);
    assert_eq!(fates[2], Fate::Duplicate(None));
    assert!(matches!(fates[1], Fate::Blocked(_)));
}

#[test]
fn an_answer_with_the_wrong_number_of_items_settles_none() {
    let two = br#"{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}"#;
    for sent in [1, 3] {
        assert_unreadable(&judge(200, two, sent));
    }
}

#[test]
fn an_unreadable_answer_settles_nothing() {
    for body in [
        &b""[..],
        b"<html>login</html>",
        b"{}",
        br#"{"errors":false}"#,
        br#"{"items":[{"create":{}}]}"#,
        br#"{"items":[{"create":{"status":"201"}}]}"#,
        br#"{"items":[{}]}"#,
        br#"{"items":[{"create":{"status":201}}"#,
    ] {
        assert_unreadable(&judge(200, body, 1));
    }
}

#[test]
fn a_whole_request_that_fails_for_now_is_retried() {
    for (status, error_type, trouble) in [
        (429, "es_rejected_execution_exception", Trouble::Overload),
        (408, "timeout_exception", Trouble::TimedOut),
        (500, "node_closed_exception", Trouble::Server),
        (503, "cluster_block_exception", Trouble::Server),
    ] {
        let judgement = whole(status, error_type);
        assert!(matches!(&judgement, Judgement::Retry(failure) if failure.trouble == trouble), "{judgement:?}");
    }
    for status in [500, 502, 503, 504] {
        assert!(matches!(judge(status, b"<html>Bad Gateway</html>", 1), Judgement::Retry(_)), "{status}");
    }
}

/// For example, one replica of an ingress may not find Elasticsearch.
#[test]
fn a_404_that_is_not_elasticsearchs_is_retried() {
    for body in [&b"<html>no such backend</html>"[..], b"", b"default backend - 404"] {
        let judgement = judge(404, body, 2);
        assert!(matches!(&judgement, Judgement::Retry(failure) if failure.trouble == Trouble::Server), "{judgement:?}");
    }
}

#[test]
fn a_whole_request_that_elasticsearch_fails_at_is_faulted() {
    let judgement = whole(500, "null_pointer_exception");
    assert!(matches!(&judgement, Judgement::Faulted(refusal) if refusal.status == 500), "{judgement:?}");
}

#[test]
fn a_413_means_too_large_whatever_its_body() {
    assert_eq!(judge(413, b"", 3), Judgement::TooLarge);
    assert_eq!(judge(413, b"<html>nginx</html>", 3), Judgement::TooLarge);
}

/// For example, a proxy drops the header that says that the body is compressed, or the index from the path.
#[test]
fn an_error_of_parsing_a_whole_request_blames_no_document() {
    for error_type in ["action_request_validation_exception", "x_content_parse_exception", "json_parse_exception"] {
        let judgement = whole(400, error_type);
        assert!(
            matches!(&judgement, Judgement::Doubtful(refusal) if refusal.error_type == error_type),
            "{judgement:?}"
        );
    }
}

#[test]
fn any_other_refusal_of_a_whole_request_is_doubtful() {
    for body in [
        &b"<html>The plain HTTP request was sent to HTTPS port</html>"[..],
        br#"{"error":"no handler found for uri [/x]"}"#,
    ] {
        for status in [400, 403, 405, 406, 422] {
            let judgement = judge(status, body, 3);
            assert!(matches!(&judgement, Judgement::Doubtful(refusal) if refusal.status == status), "{judgement:?}");
        }
    }
    let judgement = judge(404, br#"{"error":"no handler found for uri [/x]"}"#, 3);
    assert!(matches!(&judgement, Judgement::Doubtful(refusal) if refusal.status == 404), "{judgement:?}");
    for (status, error_type) in [
        (400, "illegal_argument_exception"),
        (404, "resource_not_found_exception"),
        (406, "media_type_header_exception"),
        (409, "odd_exception"),
    ] {
        let judgement = whole(status, error_type);
        assert!(matches!(&judgement, Judgement::Doubtful(refusal) if refusal.status == status), "{judgement:?}");
    }
}

#[test]
fn a_whole_request_that_only_an_operator_can_fix_blocks() {
    for (status, error_type, kind) in [
        (401, "security_exception", BlockKind::Security),
        (403, "security_exception", BlockKind::Security),
        (403, "cluster_block_exception", BlockKind::Index),
        (429, "cluster_block_exception", BlockKind::Index),
        (400, "index_closed_exception", BlockKind::Closed),
        (301, "moved", BlockKind::Other),
    ] {
        let judgement = whole(status, error_type);
        assert!(matches!(&judgement, Judgement::Blocked(block) if block.kind == kind), "{judgement:?}");
    }
}

#[test]
fn an_error_that_is_plain_text_is_the_reason() {
    let judgement = judge(405, br#"{"error":"Incorrect HTTP method for uri [/x]","status":405}"#, 1);
    assert!(
        matches!(&judgement, Judgement::Doubtful(refusal) if refusal.reason == "Incorrect HTTP method for uri [/x]"),
        "{judgement:?}"
    );
}
