//! Tests answers whose shape the servers' own tests fix, and answers of proxies and services before them. The facts are
//! from the YAML REST tests of Elasticsearch (`rest-api-spec` and `modules/data-streams`) and of `OpenSearch`, which
//! each row names, and from public issues.

use super::*;

/// Source, item and outcome. The items are complete, as without `filter_path`: a proxy may drop the query.
const ITEMS: [(&str, &str, &str); 13] = [
    (
        "bulk/10_basic.yml, array of objects",
        r#"{"index":{"_index":"i","_id":"1","_version":1,"result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1,"status":201}}"#,
        "indexed",
    ),
    (
        "bulk/10_basic.yml, empty _id",
        r#"{"index":{"_index":"i","_id":"","status":400,"error":{"type":"illegal_argument_exception","reason":"r"}}}"#,
        "doubtful",
    ),
    (
        "bulk/10_basic.yml, require_alias; data_stream/190_require_data_stream.yml",
        r#"{"index":{"_index":"i","_id":null,"status":404,"error":{"type":"index_not_found_exception","reason":"r","index":"i","index_uuid":"_na_"}}}"#,
        "index missing",
    ),
    (
        "bulk/10_basic.yml, no write index; bulk/90_pipeline.yml, missing pipeline",
        r#"{"index":{"_index":"i","status":400,"error":{"type":"illegal_argument_exception","reason":"r"}}}"#,
        "doubtful",
    ),
    ("bulk/12_noop.yml", r#"{"update":{"_index":"i","_version":1,"result":"noop","status":200}}"#, "dropped"),
    (
        "bulk/80_cas.yml",
        r#"{"index":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"r","index_uuid":"u","shard":"0","index":"i"}}}"#,
        "duplicate",
    ),
    (
        "bulk with list_executed_pipelines",
        r#"{"create":{"_index":"i","result":"created","status":201,"executed_pipelines":["p"]}}"#,
        "indexed",
    ),
    (
        "data_stream/190_failure_store_redirection.yml",
        r#"{"create":{"_index":".fs-i-2026.01.01-000002","result":"created","status":201,"failure_store":"used"}}"#,
        "doubtful",
    ),
    (
        "data_stream/190_failure_store_redirection.yml, the failure store fails too",
        r#"{"create":{"status":400,"failure_store":"failed","error":{"type":"document_parsing_exception","reason":"r","suppressed":[{"type":"t","reason":"r"}]}}}"#,
        "refused",
    ),
    (
        "OpenSearch, bulk/100_error_traces.yml",
        r#"{"update":{"status":404,"error":{"type":"document_missing_exception","reason":"r","stack_trace":"[x]"}}}"#,
        "doubtful",
    ),
    (
        "OpenSearch 1, with a mapping type",
        r#"{"create":{"_index":"i","_type":"_doc","_id":"1","_version":1,"result":"created","status":201}}"#,
        "indexed",
    ),
    (
        "elastic/elasticsearch#23258, a circuit breaker",
        r#"{"create":{"status":429,"error":{"type":"circuit_breaking_exception","reason":"r","bytes_wanted":2,"bytes_limit":1,"durability":"PERMANENT"}}}"#,
        "again",
    ),
    (
        "elastic/elasticsearch#37213, a follower index",
        r#"{"create":{"status":403,"error":{"type":"status_exception","reason":"r"}}}"#,
        "doubtful",
    ),
];

/// Source, status and body of answers to whole requests, which are sent again for this trouble.
const AGAIN: [(&str, u16, &str, Trouble); 5] = [
    (
        "uken/fluent-plugin-elasticsearch#251",
        503,
        r#"{"error":{"type":"circuit_breaking_exception","reason":"r","bytes_wanted":2,"bytes_limit":1},"status":503}"#,
        Trouble::Server,
    ),
    (
        "openfoodfacts/openfoodfacts-infrastructure#130",
        429,
        r#"{"error":{"type":"circuit_breaking_exception","reason":"r","durability":"PERMANENT"},"status":429}"#,
        Trouble::Overload,
    ),
    (
        "logstash-plugins/logstash-output-elasticsearch#572",
        502,
        r#"{"ok":false,"message":"Unable to connect to the server."}"#,
        Trouble::Server,
    ),
    ("Graylog2/graylog2-server#4098", 502, "<html><center>nginx</center></html>", Trouble::Server),
    ("fluent/fluent-plugin-opensearch#30", 429, r#"{"message":"Too Many Requests"}"#, Trouble::Overload),
];

/// Returns the outcome of a document as one word.
fn word(fate: &Fate) -> &'static str {
    match fate {
        Fate::Indexed => "indexed",
        Fate::Dropped => "dropped",
        Fate::Duplicate(_) => "duplicate",
        Fate::Refused(_) => "refused",
        Fate::Doubtful(_) => "doubtful",
        Fate::Faulted(_) => "faulted",
        Fate::NotMapped(_) => "not mapped",
        Fate::Retry(_) => "again",
        Fate::Blocked(_) => "blocked",
        Fate::IndexMissing(_) => "index missing",
    }
}

#[test]
fn items_of_the_servers_own_tests_are_read() {
    for (source, item, expected) in ITEMS {
        let body = format!(r#"{{"errors":true,"took":3,"ingest_took":1,"items":[{item}]}}"#);
        let Judgement::Items(fates) = judge(200, body.as_bytes(), 1) else { panic!("{source}") };
        assert_eq!(fates.iter().map(word).collect::<Vec<_>>(), [expected], "{source}");
    }
}

#[test]
fn whole_answers_of_services_and_proxies_blame_no_document() {
    for (source, status, body, trouble) in AGAIN {
        let judgement = judge(status, body.as_bytes(), 3);
        assert!(
            matches!(&judgement, Judgement::Retry(failure) if failure.trouble == trouble),
            "{source}: {judgement:?}"
        );
    }
    let too_large = judge(413, br#"{"Message":"Request size exceeded 10485760 bytes"}"#, 3);
    assert_eq!(too_large, Judgement::TooLarge, "rancher/rancher#29081");
    let faulted = whole(500, "illegal_state_exception");
    assert!(matches!(faulted, Judgement::Faulted(_)), "elastic/apm-server#10755, no ingest nodes: {faulted:?}");
    let doubtful = whole(400, "action_request_validation_exception");
    assert!(matches!(doubtful, Judgement::Doubtful(_)), "create/35_external_version.yml: {doubtful:?}");
}

/// `OpenSearch` 3 names the block on new indices by a type of its own.
#[test]
fn a_full_disk_that_forbids_new_indices_blocks() {
    assert_blocked(failed(403, "index_create_block_exception"), BlockKind::Index);
    let judgement = whole(403, "index_create_block_exception");
    assert!(matches!(&judgement, Judgement::Blocked(block) if block.kind == BlockKind::Index), "{judgement:?}");
}

#[test]
fn only_a_lack_of_privileges_is_reported_as_one() {
    for (error_type, expected) in [
        ("security_exception", BlockKind::Security),
        ("none", BlockKind::Security),            // a firewall before Elasticsearch
        ("status_exception", BlockKind::Refused), // the index follows an index of another cluster
    ] {
        let Fate::Doubtful(refusal) = failed(403, "odd") else { panic!("it is not doubtful") };
        let refusal = Refusal { error_type: error_type.to_owned(), ..refusal };
        assert_eq!(Block::of_index("i", &refusal).kind, expected, "{error_type}");
    }
}

#[test]
fn the_filtered_answer_of_elasticsearch_9_is_read() {
    let body = br#"{"items":[{"create":{"status":201}},{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of primary operation"}}}]}"#;
    let Judgement::Items(fates) = judge(200, body, 2) else { panic!() };
    assert_eq!(fates[0], Fate::Indexed);
    assert!(matches!(&fates[1], Fate::Retry(failure) if failure.trouble == Trouble::Overload));
}
