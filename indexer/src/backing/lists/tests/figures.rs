//! Counts the requests of a fleet while documents arrive. Each indexer is a process with its own caches for all
//! topics.

use std::sync::atomic::{AtomicUsize, Ordering};

use service::admin::Readiness;
use service::backoff::Backoff;
use service::metrics::Registry;
use tokio::task::JoinSet;

use super::*;
use crate::backing::BackingIndexCache;
use crate::index::{Index, IndexSettings, Requests};
use crate::metrics::Metrics;

const INDEXERS: usize = 100;
/// How many times each list is read while requests are counted.
const ROUNDS: i64 = 3;
/// The most requests per round. A request per topic would exceed it. One round for all topics takes 2 requests, and
/// caches that ask while it is in flight need another round.
const MOST: usize = 8;

/// Creates the caches of one process.
fn index_caches(url: &str) -> Vec<Arc<BackingIndexCache>> {
    let mut config = config(url);
    config.elasticsearch.strategy = Strategy::Rollover;
    let client = Arc::new(Client::new(&config.elasticsearch).unwrap());
    let lists = Arc::new(Lists::new(Arc::clone(&client)));
    let (readiness, metrics) = (Readiness::new(), Metrics::new(&Registry::new()).unwrap());
    let backoff = Backoff { initial: Duration::from_millis(1), max: Duration::from_millis(5) };
    let index_cache = |topic| {
        config.kafka.topic = format!("topic-{topic}");
        config.elasticsearch.index_name.clone_from(&config.kafka.topic);
        let requests = Requests::new(Arc::clone(&client));
        let settings = IndexSettings::of(&config).unwrap();
        let index = Index::new(requests, settings, backoff, readiness.condition("index"), metrics.clone());
        let (condition, lists) = (readiness.condition("placement"), Arc::clone(&lists));
        let metrics = metrics.placement.clone();
        Arc::new(BackingIndexCache::new(&config, Arc::clone(&client), Arc::new(index), condition, metrics, lists))
    };
    (0..TOPICS).map(index_cache).collect()
}

/// Waits until each list has been read at least `rounds` intervals after its first reading.
async fn read_again(index_caches: &[Arc<BackingIndexCache>], interval: i64, rounds: i64) {
    let begin: Vec<i64> = index_caches.iter().map(|index_cache| index_cache.read_at()).collect();
    let is_through =
        |(index_cache, begin): (&Arc<BackingIndexCache>, &i64)| index_cache.read_at() >= begin + rounds * interval;
    while !index_caches.iter().zip(&begin).all(is_through) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_sends_few_requests_per_interval_for_any_number_of_topics() {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let stub = Stub::start(move |received| {
        counting.fetch_add(1, Ordering::Relaxed);
        answer(received, "nothing")
    })
    .await;
    let fleet: Vec<Arc<BackingIndexCache>> = (0..INDEXERS).flat_map(|_| index_caches(&stub.url())).collect();
    futures::future::join_all(fleet.iter().map(|index_cache| index_cache.renewed())).await;

    let interval = i64::try_from(config(&stub.url()).elasticsearch.placement.refresh_interval.as_millis()).unwrap();
    let (before, begin) = (count.load(Ordering::Relaxed), now_millis());
    let mut running = JoinSet::new();
    for index_cache in &fleet {
        index_cache.note_use();
        let index_cache = Arc::clone(index_cache);
        running.spawn(async move { index_cache.run().await });
    }
    read_again(&fleet, interval, ROUNDS).await;
    let requests = count.load(Ordering::Relaxed) - before;
    let rounds = usize::try_from((now_millis() - begin) / interval).unwrap() + 1;
    let per_second = requests * 1_000 / usize::try_from(now_millis() - begin).unwrap();
    eprintln!("{INDEXERS} indexers of {TOPICS} topics: {per_second} requests a second, {requests} in {rounds} rounds");
    assert!(requests <= INDEXERS * MOST * rounds, "{requests} requests in {rounds} rounds");
}

#[tokio::test(start_paused = true)]
async fn while_nothing_comes_in_nothing_is_asked() {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let stub = Stub::start(move |received| {
        counting.fetch_add(1, Ordering::Relaxed);
        answer(received, "nothing")
    })
    .await;
    let index_cache = index_caches(&stub.url()).remove(0);
    index_cache.renewed().await;
    index_cache.note_use();
    let at_start = count.load(Ordering::Relaxed);
    let running = tokio::spawn(async move { index_cache.run().await });
    tokio::time::sleep(Duration::from_secs(90)).await;
    let after_the_last = count.load(Ordering::Relaxed);
    assert!(after_the_last > at_start, "documents have come in just now");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(count.load(Ordering::Relaxed), after_the_last);
    running.abort();
}
