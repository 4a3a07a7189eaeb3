//! What a dead letter keeps of its record, and what it goes without when its topic takes no more.

use anyhow::{Context, Result};
use harness::event::{Event, Events};
use harness::kafka::Raw;
use harness::pipeline::Pipeline;
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
async fn a_dead_letter_whose_key_is_too_large_for_its_topic_goes_without_it() -> Result<()> {
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
