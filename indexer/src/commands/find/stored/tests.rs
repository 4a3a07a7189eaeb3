use super::*;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Reply, Stub};

/// The event may be there: "not found" would be wrong.
#[tokio::test]
async fn an_index_that_cannot_be_searched_is_a_problem() {
    let stub = Stub::start(|received| {
        if received.line.contains("/_settings") {
            return Reply::Answer(200, r#"{"e-000001":{},"e-000002":{}}"#.to_owned());
        }
        let closed = json!({"_index": "e-000001", "_id": "a", "error": {"type": "index_closed_exception"}});
        let found = json!({"_index": "e-000002", "_id": "a", "_version": 1, "found": true});
        Reply::Answer(200, json!({ "docs": [closed, found] }).to_string())
    })
    .await;
    let client = Client::new(&config(&stub.url()).elasticsearch).unwrap();
    let all = documents(&client, "e", &["a".to_owned()]).await.unwrap();
    assert_eq!(all.documents["a"].len(), 1);
    assert_eq!(all.problems, ["elasticsearch: index e-000001: index_closed_exception".to_owned()].into());
}
