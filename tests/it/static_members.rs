//! Static members (`indexer.group_instance_id`): a restart in place resumes immediately. If two members have the same
//! id, one exits with the reason, and must not be restarted.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use harness::event::Events;
use harness::eventually::eventually;
use harness::indexer_process::IndexerProcess;
use harness::pipeline::Pipeline;
use harness::process;
use harness::sender::Mix;
use harness::stack::Stack;

/// This is far longer than the scenario waits, so the members cannot resume because of it.
const SESSION_TIMEOUT_MS: &str = "290000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_static_member_resumes_and_a_second_one_replaces_it() -> Result<()> {
    process::build().await?;
    let mut pipeline = Pipeline::new(&Stack::running()?, "static-member").await?;
    pipeline.config.indexer.group_instance_id = Some("a".to_owned());
    pipeline.config.kafka.options = BTreeMap::from([("session.timeout.ms".to_owned(), SESSION_TIMEOUT_MS.to_owned())]);
    let mix = Mix::good(Events::unique());
    let ids = |until: u64| mix.indexable(&(0..until).collect::<Vec<_>>());
    let mut member = IndexerProcess::start(&pipeline, 0)?;
    member.ready().await?;
    pipeline.feed(mix).write(0..100).await?;
    pipeline.delivered_exactly(&ids(100)).await?;

    member.kill_and_start_again()?;
    member.ready().await?;
    pipeline.feed(mix).write(100..200).await?;
    pipeline.delivered_exactly(&ids(200)).await?;

    let second = IndexerProcess::start(&pipeline, 1)?;
    eventually("the first one says why it ends", || async {
        ensure!(member.logged("has the same indexer.group_instance_id")? > 0, "it does not");
        Ok(())
    })
    .await?;
    let status = member.ended().await?;
    ensure!(
        status.code() == Some(78),
        "{status}: a service manager would restart it, and it would fence the second one"
    );
    second.ready().await?;
    pipeline.feed(mix).write(200..300).await?;
    pipeline.delivered_exactly(&ids(300)).await?;
    second.stop().await
}
