//! Members stand still until the group reassigns their partitions, and get SIGTERM at the moment they learn of it. They
//! exit, and nothing is lost.

use anyhow::{Context, Result, ensure};
use harness::event::Events;
use harness::eventually::eventually;
use harness::indexer_process::IndexerProcess;
use harness::pipeline::{PARTITIONS, Pipeline, assigned_partitions};
use harness::process;
use harness::sender::Mix;
use harness::stack::{OwnStack, Stack};
use indexer::config::GroupProtocol;

/// The number of members that stand still. Each of them may learn of it in its last iteration.
const STILL: usize = 3;
const EVENTS: u64 = 500;

async fn have_partitions(pipeline: &Pipeline, members: &[IndexerProcess]) -> Result<()> {
    eventually("each member has a partition", || async {
        for member in members {
            let assigned = assigned_partitions(member.admin_url(), &pipeline.config.kafka.topic).await?;
            ensure!(assigned > 0.0, "{} has none", member.admin_url());
        }
        Ok(())
    })
    .await
}

async fn they_end(pipeline: &Pipeline) -> Result<()> {
    process::build().await?;
    let mut members = (0..=STILL).map(|number| IndexerProcess::start(pipeline, number)).collect::<Result<Vec<_>>>()?;
    have_partitions(pipeline, &members).await?;
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;
    let mut still = members.split_off(1);
    for member in &mut still {
        member.pause()?;
    }
    eventually("the last one has all partitions", || async {
        let assigned = assigned_partitions(members[0].admin_url(), &pipeline.config.kafka.topic).await?;
        ensure!(assigned == f64::from(PARTITIONS), "{assigned}");
        Ok(())
    })
    .await?;
    for member in &still {
        member.terminate()?;
        member.resume()?;
    }
    for (number, member) in still.into_iter().enumerate() {
        let status = member.ended().await.with_context(|| format!("member {number}"))?;
        ensure!(status.success(), "member {number}: {status}");
    }
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    for member in members {
        member.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_stopped_while_losing_partitions_exit_classic() -> Result<()> {
    they_end(&Pipeline::new(&Stack::running()?, "lost-classic").await?).await
}

/// In this protocol the broker sets the time-outs, so the test has a broker of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_stopped_while_losing_partitions_exit_consumer() -> Result<()> {
    const SHORT: &str = "group.consumer.min.heartbeat.interval.ms=500\ngroup.consumer.heartbeat.interval.ms=500\n\
        group.consumer.min.session.timeout.ms=3000\ngroup.consumer.session.timeout.ms=3000";
    let own = OwnStack::kafka("lost-consumer", &[("KAFKA_EXTRA", SHORT)]).await?;
    let mut pipeline = Pipeline::new(&own.stack, "lost-consumer").await?;
    pipeline.config.indexer.group_protocol = GroupProtocol::Consumer;
    // librdkafka refuses these options in this protocol.
    pipeline.config.kafka.options.clear();
    they_end(&pipeline).await
}
