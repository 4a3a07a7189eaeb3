//! What a dead letter keeps of its record, and what it omits when its topic accepts no more.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use bytesize::ByteSize;
use harness::event::{Event, Events};
use harness::eventually::{patience, within};
use harness::indexer_process::IndexerProcess;
use harness::kafka::Raw;
use harness::pipeline::Pipeline;
use harness::process;
use harness::stack::Stack;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_keeps_the_headers_of_its_record() -> Result<()> {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let pipeline = Pipeline::new(&Stack::running()?, "letter-headers").await?;
    let receiver = pipeline.receiver().await?;
    let event = Events::unique().event(0);
    let other = Event { action_type: "another".to_owned(), ..event.clone() };
    for (request, event) in [("one", &event), ("two", &other)] {
        let headers = [("content-type", "application/avro"), ("x-request-id", request), ("traceparent", TRACE)];
        let answer = pipeline.post(&receiver, &headers, &event.encode()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    let letters = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    assert_eq!(letters.len(), 1, "the other event has the id of the first: {letters:#?}");
    let record = records.iter().find(|record| record.value == letters[0].value);
    let record = record.context("no record of the letter's value")?;
    assert!(record.header("source").is_some() && record.header("traceparent") == Some(TRACE), "{record:#?}");
    for (name, value) in &record.headers {
        assert_eq!(letters[0].header(name).map(str::as_bytes), Some(&value[..]), "{name}: {letters:#?}");
    }
    indexer.stop().await?;
    receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_with_a_key_too_large_for_its_topic_loses_it() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "large-keys").await?;
    let small = format!("{}-small", pipeline.config.kafka.dead_letter_topic);
    pipeline.kafka.create_topic_with(&small, 1, &[("max.message.bytes", "2000")]).await?;
    pipeline.config.kafka.dead_letter_topic.clone_from(&small);
    let undecodable =
        |key: usize, value: usize| Raw { key: Some(vec![b'k'; key]), value: Some(vec![b'x'; value]), ..Raw::default() };
    let records = [undecodable(5_000, 100), undecodable(5_000, 5_000), undecodable(10, 100)];
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &records).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let mut letters = pipeline.kafka.read_all(&small).await?;
    letters.sort_by_key(|letter| letter.header("dl.offset").and_then(|offset| offset.parse::<i64>().ok()));
    let seen: Vec<_> = letters
        .iter()
        .map(|letter| {
            let lengths = (letter.key.as_ref().map(Vec::len), letter.value.as_ref().map(Vec::len));
            (lengths, letter.header("dl.value-omitted"), letter.header("dl.key-omitted"))
        })
        .collect();
    assert_eq!(
        seen,
        [
            ((None, Some(100)), None, Some("5000")),
            ((None, None), Some("5000"), Some("5000")),
            ((Some(10), Some(100)), None, None),
        ]
    );
    indexer.stop().await
}

const MIB: u64 = 1 << 20;
/// The number of events, of 512 KiB each.
const LARGE: u64 = 288;

/// Creates a pipeline whose backlog has only undecodable records, in many small batches, and whose dead-letter topic is
/// missing. The indexer may hold `in_flight` bytes of records, and fetches 1 MiB ahead.
async fn with_nowhere_to_go(in_flight: u64) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "letters-held").await?;
    let config = &mut pipeline.config;
    config.kafka.dead_letter_topic = format!("{}-away", config.kafka.dead_letter_topic);
    for (key, value) in [("queued.max.messages.kbytes", "1024"), ("fetch.max.bytes", "1048576")] {
        config.kafka.options.insert(key.to_owned(), value.to_owned());
    }
    config.indexer.max_in_flight_bytes = ByteSize::b(in_flight);
    config.indexer.max_in_flight_requests = 64;
    config.indexer.batch.max_documents = 8;
    let records: Vec<Raw> = (0..LARGE)
        .map(|number| Raw {
            key: Some(number.to_string().into_bytes()),
            value: Some(vec![b'x'; 512 * 1024]),
            ..Raw::default()
        })
        .collect();
    for some in records.chunks(32) {
        pipeline.kafka.produce(&pipeline.config.kafka.topic, some).await?;
    }
    Ok(pipeline)
}

/// librdkafka keeps a copy of each record for as long as a delivery may take. Of 128 MiB that wait for their topic, it
/// gets 16 MiB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_without_a_topic_stay_within_16_mib_and_none_is_lost() -> Result<()> {
    const IN_FLIGHT: u64 = 128 * MIB;
    process::build().await?;
    let pipeline = with_nowhere_to_go(IN_FLIGHT).await?;
    let (topic, letters) = (&pipeline.config.kafka.topic, &pipeline.config.kafka.dead_letter_topic);
    let indexer = IndexerProcess::start(&pipeline, 0)?;
    let paused = format!("penstock_indexer_paused{{topic={topic:?}}}");
    within(patience() * 3, "all is held that may be, and the topic is named as the cause", || async {
        let (paused, unready) = (indexer.metric(&paused).await?, indexer.unready().await?);
        ensure!(paused == 1.0 && unready.contains(&format!("{letters} does not accept dead letters")), "{unready}");
        Ok(())
    })
    .await?;
    // The sum: the records, one record across the limit, the letters, what is fetched ahead, and the program itself.
    let (peak, bound) = (indexer.usage()?.peak_bytes, IN_FLIGHT + MIB + 16 * MIB + 4 * MIB + 64 * MIB);
    println!("peak {} MiB of {} MiB", peak / MIB, bound / MIB);
    ensure!(peak <= bound, "{} MiB, more than {} MiB", peak / MIB, bound / MIB);
    assert_eq!(pipeline.kafka.committed(&pipeline.config.indexer.group_id, topic).await?[&0].unwrap_or(0), 0);

    pipeline.kafka.create_topic(letters, 1).await?;
    pipeline.all_committed_within(patience() * 3).await?;
    let written = pipeline.kafka.read_all(letters).await?;
    let complete = written.iter().filter(|letter| letter.value.as_ref().is_some_and(|value| value.len() == 512 * 1024));
    let keys: HashSet<_> = complete.filter_map(|letter| letter.key.clone()).collect();
    assert_eq!(keys.len() as u64, LARGE);
    indexer.stop().await
}
