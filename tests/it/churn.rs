//! A fleet of indexers under load, one added or killed every few seconds: nothing is lost, nothing is there twice.
//!
//! `PENSTOCK_CHURN_SECONDS` and `PENSTOCK_CHURN_PER_SECOND` say for how long and how many events a second.

use std::time::Duration;

use anyhow::Result;
use harness::event::Events;
use harness::eventually::patience;
use harness::member::Member;
use harness::pipeline::Pipeline;
use harness::process;
use harness::sender::Mix;
use harness::size;
use harness::stack::Stack;
use rand::RngExt;
use shared::config::GroupProtocol;
use tokio::time::{Instant, sleep_until};

/// Between two changes of the fleet.
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
        // The broker's to say there; librdkafka refuses them.
        pipeline.config.kafka.options.clear();
    }
    let events = u64::from(per_second) * duration.as_secs();
    let mix = Mix::good(Events::unique());
    let mut feed = pipeline.feed(mix);
    feed.per_second = Some(per_second);

    let mut fleet = (0..FLEET).map(|number| Member::start(&pipeline, number)).collect::<Result<Vec<_>>>()?;
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
            fleet.push(Member::start(&pipeline, FLEET + usize::try_from(change)?)?);
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
