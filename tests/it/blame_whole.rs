//! Documents that make the whole request fail, and a quiet data stream: each such document is found, becomes a dead
//! letter, and holds nothing up.
//!
//! No real server can be made to crash or hang at one document, so a proxy before it closes the connection or never
//! answers. The proxy also answers 500 for one document, like an ingest processor `fail`.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use harness::proxy::{BREAKS, HANGS};
use indexer::config::Strategy;

use crate::blame::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_fail_whole_requests_are_found() -> Result<()> {
    const EVENTS: u64 = 200;
    let mut scene = Scene::new("blame-whole", Strategy::Single).await?;
    let bad = [(57, BREAKS), (123, HANGS)];
    let _proxy = scene.answer(&bad).await?;
    scene.pipeline.config.elasticsearch.request_timeout = Duration::from_secs(2);
    let member = scene.start().await?;
    scene.produce(0..EVENTS).await?;
    let good = (0..EVENTS).filter(|number| bad.iter().all(|(bad, _)| bad != number));
    scene.pipeline.delivered_exactly(&scene.ids(good)).await?;
    let dead: HashSet<(String, String, String)> = scene.dead().await?.into_iter().collect();
    let expected = [(57, "connection"), (123, "timed_out")];
    let expected = expected.into_iter().map(|(number, error_type)| {
        let id = scene.ids([number]).into_iter().next().unwrap_or_default();
        (id, error_type.to_owned(), String::new())
    });
    assert_eq!(dead, expected.collect());
    member.ready().await?;
    member.stop().await
}

/// No other document arrives after the doubtful one. Only the witness shows that the stream is healthy, and the witness
/// is not written a second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubtful_document_of_a_quiet_data_stream_is_decided() -> Result<()> {
    let mut scene = Scene::new("blame-stream", Strategy::DataStream).await?;
    let _proxy = scene.answer(&[(1, 500)]).await?;
    let member = scene.start().await?;
    scene.produce([0]).await?;
    scene.pipeline.delivered_exactly(&scene.ids([0])).await?;
    scene.produce([1]).await?;
    scene.pipeline.delivered_exactly(&scene.ids([0])).await?;
    assert_eq!(scene.dead().await?.len(), 1);
    member.stop().await
}

harness::on_opensearch! { a_doubtful_document_of_a_quiet_data_stream_is_decided }
