//! Surprises in Kafka's log: re-created topics, retention that was faster than reading, transactions, members without
//! work, a trickle of events.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::event::Events;
use harness::eventually::eventually;
use harness::indexer_process::IndexerProcess;
use harness::kafka::Raw;
use harness::pipeline::{PARTITIONS, Pipeline, Service, metric};
use harness::process;
use harness::sender::Mix;
use harness::stack::Stack;
use indexer::config::GroupProtocol;

/// The events indexed before the topic is re-created.
const BEFORE: u64 = 1_000;

async fn of_topic(pipeline: &Pipeline, indexer: &Service, name: &str, label: &str) -> Result<f64> {
    let topic = &pipeline.config.kafka.topic;
    metric(&indexer.admin_url(), &format!("{name}{{topic={topic:?},{label}}}")).await
}

/// Returns the lag over all partitions, or an error while that of one partition is unknown.
async fn lag(pipeline: &Pipeline, indexer: &Service) -> Result<f64> {
    let text = harness::http::get(&format!("{}/metrics", indexer.admin_url())).await?.text();
    let own = format!("topic={:?}", pipeline.config.kafka.topic);
    let lags = text.lines().filter(|line| line.starts_with("penstock_indexer_lag_records{") && line.contains(&own));
    let lags: Vec<f64> = lags.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    ensure!(lags.len() == usize::try_from(PARTITIONS)?, "the lag of {} partitions is known", lags.len());
    Ok(lags.iter().sum())
}

async fn lag_is_none(pipeline: &Pipeline, indexer: &Service) -> Result<()> {
    eventually("the lag is 0", || async {
        let lag = lag(pipeline, indexer).await?;
        ensure!(lag == 0.0, "it is {lag}");
        Ok(())
    })
    .await
}

/// Deletes the topic and creates it again immediately.
async fn recreate_topic(pipeline: &Pipeline) -> Result<()> {
    let topic = &pipeline.config.kafka.topic;
    pipeline.kafka.delete_topic(topic).await?;
    eventually("the topic is created again", || pipeline.kafka.create_topic(topic, PARTITIONS)).await
}

/// Indexes [`BEFORE`] events, re-creates the topic under the running indexer, and writes `after` others. All must be
/// indexed.
async fn recreated(scenario: &str, after: u64) -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    let indexer = pipeline.indexer().await?;
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..BEFORE).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..BEFORE).collect::<Vec<_>>())).await?;
    recreate_topic(&pipeline).await?;
    pipeline.feed(mix).write(BEFORE..BEFORE + after).await?;
    eventually("all events of both topics are indexed", || async {
        let documents = pipeline.search.count(&pipeline.config.elasticsearch.index_name).await?;
        ensure!(documents == BEFORE + after, "{documents} documents");
        Ok(())
    })
    .await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..BEFORE + after).collect::<Vec<_>>())).await?;
    eventually("it is reported", || async {
        let resets = of_topic(&pipeline, &indexer, "penstock_indexer_log_resets_total", "").await?;
        ensure!(resets > 0.0, "it is not");
        Ok(())
    })
    .await?;
    lag_is_none(&pipeline, &indexer).await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recreated_topic_longer_than_before_is_read_from_its_start() -> Result<()> {
    recreated("log-anew-longer", 6_000).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recreated_topic_shorter_than_before_is_read_from_its_start() -> Result<()> {
    recreated("log-anew-shorter", 500).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_committed_for_a_deleted_topic_are_not_used() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "log-anew-restart").await?;
    let (group, topic) = (&pipeline.config.indexer.group_id, &pipeline.config.kafka.topic);
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..BEFORE).await?;
    // This is what an indexer leaves that kept committing while the topic was re-created.
    let id = "0123456789abcdef0123456789abcdef";
    pipeline.kafka.commit(group, topic, 100, &format!("topic-id={id}")).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..BEFORE).collect::<Vec<_>>())).await?;
    let resets = of_topic(&pipeline, &indexer, "penstock_indexer_log_resets_total", "reason=\"recreated\"").await?;
    assert_eq!(resets, f64::from(PARTITIONS));
    indexer.stop().await?;

    // The new commits are of the new topic, so a restart continues from them.
    let indexer = pipeline.indexer().await?;
    lag_is_none(&pipeline, &indexer).await?;
    let read = metric(&indexer.admin_url(), "penstock_indexer_consumed_records_total").await?;
    assert_eq!(read, 0.0, "records were read again");
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_deleted_unread_by_retention_are_counted_without_lag() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "log-retention").await?;
    let mix = Mix::good(Events::unique());
    let indexer = pipeline.indexer().await?;
    pipeline.feed(mix).write(0..100).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..100).collect::<Vec<_>>())).await?;
    indexer.stop().await?;
    pipeline.feed(mix).write(100..200).await?;
    pipeline.kafka.delete_records(&pipeline.config.kafka.topic).await?;

    let indexer = pipeline.indexer().await?;
    eventually("the loss is counted", || async {
        let lost = of_topic(&pipeline, &indexer, "penstock_indexer_lost_records_total", "").await?;
        ensure!(lost == 100.0, "{lost} records");
        Ok(())
    })
    .await?;
    lag_is_none(&pipeline, &indexer).await?;
    pipeline.all_committed().await?;

    // The same happens with records after the gap.
    indexer.stop().await?;
    pipeline.feed(mix).write(200..300).await?;
    pipeline.kafka.delete_records(&pipeline.config.kafka.topic).await?;
    pipeline.feed(mix).write(300..400).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    eventually("the loss is counted", || async {
        let lost = of_topic(&pipeline, &indexer, "penstock_indexer_lost_records_total", "").await?;
        ensure!(lost == 100.0, "{lost} records");
        Ok(())
    })
    .await?;
    lag_is_none(&pipeline, &indexer).await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transaction_markers_do_not_count_as_lag() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "log-transactions").await?;
    let mix = Mix::good(Events::unique());
    let records = |numbers: std::ops::Range<u64>| {
        let partition = |number: u64| i32::try_from(number).unwrap_or(0) % PARTITIONS;
        numbers.map(|number| pipeline.record(&mix, number, partition(number))).collect::<Vec<_>>()
    };
    let indexer = pipeline.indexer().await?;
    let topic = &pipeline.config.kafka.topic;
    // One partition has only an aborted transaction.
    pipeline.kafka.transaction(topic, &records(0..1), false).await?;
    let rest: Vec<Raw> = records(1..41).into_iter().filter(|record| record.partition > 0).collect();
    pipeline.kafka.transaction(topic, &rest[..20], true).await?;
    pipeline.kafka.transaction(topic, &rest[20..], false).await?;
    lag_is_none(&pipeline, &indexer).await?;
    pipeline.all_committed().await?;
    assert_eq!(pipeline.search.count(&pipeline.config.elasticsearch.index_name).await?, 20);
    indexer.stop().await?;

    // The same holds after a restart, from a commit before the last of them.
    let ends = pipeline.kafka.end_offsets(topic).await?;
    pipeline.kafka.commit(&pipeline.config.indexer.group_id, topic, ends[&1] - 1, "").await?;
    let indexer = pipeline.indexer().await?;
    lag_is_none(&pipeline, &indexer).await?;
    indexer.stop().await
}

/// A reader of committed records cannot pass the first record of an open transaction, whatever is behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_behind_an_open_transaction_wait_and_count_as_lag() -> Result<()> {
    const HELD: u64 = 10;
    let pipeline = Pipeline::new(&Stack::running()?, "log-open-transaction").await?;
    let (topic, index) = (&pipeline.config.kafka.topic, &pipeline.config.elasticsearch.index_name);
    let mix = Mix::good(Events::unique());
    let records: Vec<Raw> = (0..HELD).map(|number| pipeline.record(&mix, number, 0)).collect();
    let indexer = pipeline.indexer().await?;
    let open = pipeline.kafka.open_transaction(topic, &records[..1]).await?;
    pipeline.kafka.produce(topic, &records[1..]).await?;
    eventually("what waits counts as lag", || async {
        let lag = lag(&pipeline, &indexer).await?;
        ensure!(lag == HELD as f64, "it is {lag}");
        Ok(())
    })
    .await?;
    assert_eq!(pipeline.search.count(index).await?, 0);
    open.end(false).await?;
    // The transaction ends in the log a moment after Kafka has answered (KIP-98). Until then, nothing is to be read.
    eventually("the records behind it are indexed", || async {
        let indexed = pipeline.search.count(index).await?;
        ensure!(indexed == HELD - 1, "{indexed}");
        Ok(())
    })
    .await?;
    pipeline.delivered_exactly(&mix.indexable(&(1..HELD).collect::<Vec<_>>())).await?;
    lag_is_none(&pipeline, &indexer).await?;
    indexer.stop().await
}

/// Kafka forgets the offsets of a group that was idle for `offsets.retention.minutes`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_its_offsets_have_expired_a_group_loses_and_repeats_nothing() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "log-expired-offsets").await?;
    let mix = Mix::good(Events::unique());
    let indexer = pipeline.indexer().await?;
    pipeline.feed(mix).write(0..BEFORE).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..BEFORE).collect::<Vec<_>>())).await?;
    indexer.stop().await?;

    eventually("the group has no members", || pipeline.kafka.delete_group(&pipeline.config.indexer.group_id)).await?;
    pipeline.feed(mix).write(BEFORE..BEFORE + 10).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..BEFORE + 10).collect::<Vec<_>>())).await?;
    lag_is_none(&pipeline, &indexer).await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spare_member_is_ready_with_either_protocol() -> Result<()> {
    for protocol in [GroupProtocol::Classic, GroupProtocol::Consumer] {
        let mut pipeline = Pipeline::new(&Stack::running()?, "log-spare").await?;
        pipeline.config.indexer.group_protocol = protocol;
        if protocol == GroupProtocol::Consumer {
            // The broker sets these options in this protocol.
            pipeline.config.kafka.options.clear();
        }
        let mut indexers = Vec::new();
        for _ in 0..=PARTITIONS {
            indexers.push(pipeline.indexer().await?);
        }
        eventually("one member is a spare, and all are ready", || one_is_spare_and_all_are_ready(&indexers)).await?;
        for indexer in indexers {
            indexer.stop().await?;
        }
    }
    Ok(())
}

/// A spare member takes over when another one leaves, so a load balancer or an operator must not count it as failed.
async fn one_is_spare_and_all_are_ready(indexers: &[Service]) -> Result<()> {
    let mut spares = 0;
    for indexer in indexers {
        let assigned = metric(&indexer.admin_url(), "penstock_indexer_assigned_partitions").await?;
        spares += usize::from(assigned == 0.0);
        let readyz = harness::http::get(&format!("{}/readyz", indexer.admin_url())).await?;
        ensure!(readyz.status == 200, "{}: {}", readyz.status, readyz.text());
    }
    ensure!(spares == 1, "{spares} members have no partition");
    Ok(())
}

/// Its group assigns nothing, and the member has joined.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indexer_whose_topic_is_missing_says_so_until_it_exists() -> Result<()> {
    process::build().await?;
    let pipeline = Pipeline::new(&Stack::running()?, "log-missing").await?;
    let topic = &pipeline.config.kafka.topic;
    pipeline.kafka.delete_topic(topic).await?;
    let indexer = IndexerProcess::start(&pipeline, 0)?;
    eventually("the indexer says that its topic is missing", || async {
        let unready = indexer.unready().await?;
        ensure!(unready.contains(&format!("no topic {topic}")), "{unready:?}");
        Ok(())
    })
    .await?;
    pipeline.kafka.create_topic(topic, PARTITIONS).await?;
    indexer.ready().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_steady_trickle_is_sent_by_age() -> Result<()> {
    const PER_SECOND: u32 = 100;
    const EVENTS: u64 = 1_000;
    let pipeline = Pipeline::new(&Stack::running()?, "log-trickle").await?;
    let indexer = pipeline.indexer().await?;
    let mix = Mix::good(Events::unique());
    let mut feed = pipeline.feed(mix);
    feed.per_second = Some(PER_SECOND);
    feed.write(0..EVENTS).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    let requests = metric(&indexer.admin_url(), "penstock_indexer_bulk_requests_total").await?;
    // Ten seconds of events, of which none may wait longer than half a second; a busy machine may take a few of them at
    // once. Were a batch to wait for 256 events, it would be five requests.
    let least = Duration::from_secs(EVENTS / u64::from(PER_SECOND)).as_secs_f64()
        / pipeline.config.indexer.batch.max_age.as_secs_f64()
        / 3.0;
    ensure!(requests >= least, "{requests} bulk requests, fewer than {least}: batches waited for each other's records");
    indexer.stop().await
}
