use std::sync::Arc;

use super::*;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Reply, Stub};
use crate::elasticsearch::Client;

/// The stub lists indices as a server does after ILM has shrunk the second one.
#[tokio::test]
async fn the_write_index_of_a_data_stream_is_the_last_whatever_the_names_are() {
    let first = ".ds-cxone-events-2026.11.24-000001";
    let write = ".ds-cxone-events-2026.11.25-000003";
    let names = [first, "shrink-x1y2-.ds-cxone-events-2026.11.24-000002", write];
    let indices = names.map(|name| serde_json::json!({"index_name": name}));
    let list = serde_json::json!({"data_streams": [{"indices": indices}]}).to_string();
    let stub = Stub::start(move |_| Reply::Answer(200, list.clone())).await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::DataStream;
    let requests = Requests::new(Arc::new(Client::new(&config.elasticsearch).unwrap()));
    let indices = Indices::new(&requests, &Arc::new(IndexSettings::of(&config).unwrap()));
    assert_eq!(indices.current().await.unwrap().as_deref(), Some(write));
    assert_eq!(indices.own().await.unwrap(), [write]);
}
