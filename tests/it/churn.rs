//! A fleet of indexers under load. Every few seconds a member is added or killed. No event is lost, and none is indexed
//! twice.
//!
//! `PENSTOCK_CHURN_SECONDS` sets the duration and `PENSTOCK_CHURN_PER_SECOND` the number of events per second.

use std::time::Duration;

use anyhow::Result;
use harness::event::Events;
use harness::eventually::{eventually, patience};
use harness::indexer_process::IndexerProcess;
use harness::pipeline::{PARTITIONS, Pipeline, Service, assigned_partitions, metric};
use harness::process;
use harness::registry_link::RegistryLink;
use harness::sender::Mix;
use harness::size;
use harness::stack::Stack;
use indexer::config::GroupProtocol;
use rand::RngExt;
use tokio::time::{Instant, sleep_until};

/// The time between two changes of the fleet.
const INTERVAL: Duration = Duration::from_secs(5);
const FLEET: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changing_fleet_loses_and_repeats_nothing_classic() -> Result<()> {
    changing_fleet(GroupProtocol::Classic, "churn-classic").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changing_fleet_loses_and_repeats_nothing_consumer() -> Result<()> {
    changing_fleet(GroupProtocol::Consumer, "churn-consumer").await
}

async fn changing_fleet(protocol: GroupProtocol, name: &str) -> Result<()> {
    let duration = size::seconds("PENSTOCK_CHURN_SECONDS", 20)?;
    let per_second = u32::try_from(size::number("PENSTOCK_CHURN_PER_SECOND", 1_000)?)?;
    process::build().await?;
    let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
    pipeline.config.indexer.group_protocol = protocol;
    if protocol == GroupProtocol::Consumer {
        // The broker sets these options in this protocol, and librdkafka refuses them.
        pipeline.config.kafka.options.clear();
    }
    let events = u64::from(per_second) * duration.as_secs();
    let mix = Mix::good(Events::unique());
    let mut feed = pipeline.feed(mix);
    feed.per_second = Some(per_second);

    let mut fleet = (0..FLEET).map(|number| IndexerProcess::start(&pipeline, number)).collect::<Result<Vec<_>>>()?;
    for member in &fleet {
        member.ready().await?;
    }
    let begin = Instant::now();
    let feeding = tokio::spawn(async move { feed.write(0..events).await });
    let changes = u32::try_from(duration.as_secs() / INTERVAL.as_secs())?;
    for change in 1..=changes {
        sleep_until(begin + INTERVAL * change).await;
        if change % 2 == 1 {
            let mut victim = fleet.swap_remove(rand::rng().random_range(0..fleet.len()));
            victim.kill()?;
        } else {
            fleet.push(IndexerProcess::start(&pipeline, FLEET + usize::try_from(change)?)?);
        }
    }
    feeding.await??;
    pipeline.all_committed_within(patience() * 3).await?;
    eprintln!(
        "{protocol:?}: {events} events at {per_second} a second, {changes} changes; done {:?} after the first",
        begin.elapsed()
    );
    pipeline.delivered_exactly(&mix.indexable(&(0..events).collect::<Vec<_>>())).await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    for member in fleet {
        member.stop().await?;
    }
    Ok(())
}

/// Returns how many log lines of the members report partitions that were assigned or revoked.
fn rebalances(members: &[IndexerProcess]) -> Result<usize> {
    let lines = |member: &IndexerProcess| Ok(member.logged("were assigned")? + member.logged("were revoked")?);
    members.iter().map(lines).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_static_member_that_returns_soon_causes_no_rebalance() -> Result<()> {
    const EVENTS: u64 = 2_000;
    process::build().await?;
    let mut pipeline = Pipeline::new(&Stack::running()?, "static").await?;
    // This is long enough for a restart.
    pipeline.config.kafka.options.insert("session.timeout.ms".to_owned(), "45000".to_owned());
    let named = |number| {
        IndexerProcess::start_with(&pipeline, number, |config| {
            config.indexer.group_instance_id = Some(format!("indexer-{number}"));
        })
    };
    let mix = Mix::good(Events::unique());
    let mut members = vec![named(0)?, named(1)?];
    eventually("each has half of the partitions", || async {
        for member in &members {
            let assigned = assigned_partitions(member.admin_url(), &pipeline.config.kafka.topic).await?;
            anyhow::ensure!(assigned * 2.0 == f64::from(PARTITIONS), "{assigned}");
        }
        Ok(())
    })
    .await?;
    let before = rebalances(&members[..1])?;
    members[1].kill_and_start_again()?;
    pipeline.feed(mix).write(0..EVENTS).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    assert_eq!(rebalances(&members[..1])?, before, "partitions moved");
    Ok(())
}

/// librdkafka keeps the pause of a revoked partition. The member must resume the partition when it gets it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_revoked_while_paused_is_read_when_it_returns() -> Result<()> {
    const EVENTS: u64 = 200;
    let stack = Stack::running()?;
    let mut pipeline = Pipeline::new(&stack, "back-again").await?;
    let mut link = RegistryLink::open(&stack).await?;
    pipeline.config.schema_registry.url = link.url();
    link.cut();
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;

    let all = f64::from(PARTITIONS);
    let first = Service::indexer(pipeline.config.clone()).await?;
    waits_with(&pipeline, &first, all).await?;
    let second = Service::indexer(pipeline.config.clone()).await?;
    waits_with(&pipeline, &second, all / 2.0).await?;
    second.stop().await?;
    assigned(&pipeline, &first, all).await?;

    link.reopen().await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    first.stop().await
}

/// Waits until `indexer` has `partitions`, all of which wait for the registry.
async fn waits_with(pipeline: &Pipeline, indexer: &Service, partitions: f64) -> Result<()> {
    assigned(pipeline, indexer, partitions).await?;
    let topic = &pipeline.config.kafka.topic;
    let sample = format!("penstock_indexer_parked_records_total{{reason=\"schema\",topic={topic:?}}}");
    eventually("its partitions wait for the registry", || async {
        let parked = metric(&indexer.admin_url(), &sample).await?;
        anyhow::ensure!(parked >= partitions, "{parked} of {partitions} wait");
        Ok(())
    })
    .await
}

async fn assigned(pipeline: &Pipeline, indexer: &Service, partitions: f64) -> Result<()> {
    eventually("the partitions are assigned", || async {
        let assigned = assigned_partitions(&indexer.admin_url(), &pipeline.config.kafka.topic).await?;
        anyhow::ensure!((assigned - partitions).abs() < 0.5, "{assigned} of {partitions} are");
        Ok(())
    })
    .await
}
