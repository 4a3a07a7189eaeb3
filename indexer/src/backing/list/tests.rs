use super::*;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Reply, Stub, failure};

fn found(name: &str) -> FoundIndex {
    FoundIndex { name: name.to_owned(), created: 0, writable: true, is_write: false, is_resized: false }
}

#[test]
fn the_indices_of_a_data_stream_are_in_the_streams_order() {
    let names = [".ds-e-000003", "partial-.ds-e-000001", "shrink-x-.ds-e-000002"];
    let order: Vec<String> = [1, 2, 0].map(|number| names[number].to_owned()).into();
    let ordered = in_order(names.map(found).into(), &order);
    let names: Vec<(&str, bool)> = ordered.iter().map(|index| (index.name.as_str(), index.is_write)).collect();
    assert_eq!(names, [("partial-.ds-e-000001", false), ("shrink-x-.ds-e-000002", false), (".ds-e-000003", true)]);
}

#[test]
fn indices_added_or_deleted_between_both_requests_are_left_out() {
    let ordered = in_order(vec![found("b"), found("c")], &["a".to_owned(), "b".to_owned()]);
    assert_eq!(ordered.iter().map(|index| index.name.as_str()).collect::<Vec<_>>(), ["b"]);
}

/// The oldest document in the available shards may not be the oldest of all.
#[tokio::test]
async fn the_first_document_is_not_read_if_a_shard_is_missing() {
    let stub = Stub::start(|received| match received.line.contains("allow_partial_search_results=false") {
        true => failure(503, "search_phase_execution_exception"),
        false => Reply::Answer(200, r#"{"aggregations":{"first":{"value":7.0}}}"#.to_owned()),
    })
    .await;
    let client = Client::new(&config(&stub.url()).elasticsearch).unwrap();
    let error = first_ingested(&client, "e").await.unwrap_err();
    assert!(matches!(error, ReadError::Refused { status: 503, .. }), "{error}");
}
