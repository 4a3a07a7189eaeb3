//! Dead letters are found, fixed and redriven with the very commands of `docs/operate.md`: each once, with its original
//! id.

use std::path::PathBuf;

use anyhow::{Context, Result};
use harness::event::{Event, Events, now};
use harness::eventually::eventually;
use harness::http::Method;
use harness::kafka::Raw;
use harness::paths;
use harness::pipeline::{Pipeline, Service};
use harness::process::{self, Binary, Process, Said};
use harness::sender::{Flaw, Mix};
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

const AVRO: (&str, &str) = ("content-type", "application/avro");

/// Writes a config file for the programs.
async fn config_file(pipeline: &Pipeline) -> Result<PathBuf> {
    process::build().await?;
    let file = pipeline.file("penstock.yaml");
    process::write_config(&pipeline.config, &file)?;
    Ok(file)
}

/// Runs a command with `--json`. The guide must contain the command word for word.
async fn guided(pipeline: &Pipeline, command: &str) -> Result<Said> {
    let guide = std::fs::read_to_string(paths::in_repository("docs/operate.md"))?;
    let line = format!("penstock-indexer {command}");
    anyhow::ensure!(guide.lines().any(|found| found.trim() == line), "docs/operate.md has no line {line:?}");
    run(pipeline, command).await
}

async fn run(pipeline: &Pipeline, command: &str) -> Result<Said> {
    let file = config_file(pipeline).await?;
    let arguments: Vec<&str> = command.split(' ').chain(["--json"]).collect();
    process::command(Binary::Indexer, &file, &arguments).await
}

/// Waits until `list` shows `count` letters in the dead-letter topic, and returns the list.
async fn listed(pipeline: &Pipeline, count: u64) -> Result<Value> {
    let mut list = Value::Null;
    let found = std::sync::Mutex::new(&mut list);
    eventually("the letters are listed", || async {
        let said = guided(pipeline, "dead-letters list").await?;
        anyhow::ensure!(said.code == Some(0), "{said:?}");
        let topics = said.json()?;
        anyhow::ensure!(topics["topics"][0]["open"] == count, "{topics}");
        **found.lock().map_err(|_| anyhow::anyhow!("a panic"))? = topics;
        Ok(())
    })
    .await?;
    Ok(list["topics"][0].take())
}

fn large(event: Event) -> Event {
    let metadata = (0..50).map(|number| (format!("k{number}"), "v".to_owned())).collect();
    Event { metadata, ..event }
}

/// Starts an indexer that accepts no large events.
async fn strict_indexer(pipeline: &mut Pipeline) -> Result<Service> {
    pipeline.config.indexer.max_items = 20;
    let indexer = pipeline.indexer().await?;
    pipeline.config.indexer.max_items = 100_000;
    Ok(indexer)
}

async fn post(pipeline: &Pipeline, receiver: &Service, request: &str, body: &[u8]) -> Result<()> {
    let answer = pipeline.post(receiver, &[AVRO, ("x-request-id", request)], body).await?;
    anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
    Ok(())
}

/// Lets the index accept documents whose timestamp it cannot read.
async fn forgive_timestamps(pipeline: &Pipeline) -> Result<()> {
    let index = &pipeline.config.elasticsearch.index_name;
    let mut mapping = pipeline.search.call(Method::GET, &format!("{index}/_mapping"), &Value::Null).await?;
    let indices = mapping.as_object_mut().context("no mapping")?;
    let first = indices.values_mut().next().context("no index")?;
    let mut field = first["mappings"]["properties"]["timestamp"].take();
    field["ignore_malformed"] = json!(true);
    let body = json!({"properties": {"timestamp": field}});
    pipeline.search.call(Method::PUT, &format!("{index}/_mapping"), &body).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_dead_letters_are_found_fixed_and_redriven_once_each() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "redrive").await?;
    let topic = pipeline.config.kafka.topic.clone();
    let receiver = pipeline.receiver().await?;
    let events = Events::unique();
    let (first, oversized) = (events.event(0), large(events.event(1)));
    let other = Event { action_type: "another".to_owned(), ..first.clone() };
    let unmappable = Mix { events, flawed_every: 1, flaws: &[Flaw::Unmappable] };
    let bodies = [first.encode(), oversized.encode(), unmappable.body(2), other.encode()];
    for (request, body) in ["r-first", "r-large", "r-unmappable", "r-other"].iter().zip(&bodies) {
        post(&pipeline, &receiver, request, body).await?;
    }
    let strict = strict_indexer(&mut pipeline).await?;
    pipeline.all_committed().await?;
    strict.stop().await?;

    // The list shows three causes with a letter each.
    let list = listed(&pipeline, 3).await?;
    let groups = list["groups"].as_array().context("no groups")?;
    let mut types: Vec<&str> = groups.iter().filter_map(|group| group["error_type"].as_str()).collect();
    types.sort_unstable();
    assert_eq!(types, ["document_parsing_exception", "id-conflict", "too_many_items"], "{list}");
    let place = groups.iter().find(|group| group["error_type"] == "too_many_items").context("no group")?;
    shown_whole(&pipeline, place, &oversized.event_id).await?;

    let indexer = pipeline.indexer().await?;
    redriven_in_vain(&pipeline).await?;

    // The causes are fixed, and the letters redriven.
    forgive_timestamps(&pipeline).await?;
    for command in [
        "dead-letters redrive --reason too_many_items",
        "dead-letters redrive --reason document_parsing_exception",
        "dead-letters redrive --reason id-conflict --scope-ids",
    ] {
        let said = guided(&pipeline, command).await?;
        assert_eq!(said.code, Some(0), "{said:?}");
        let report = said.json()?;
        assert_eq!((&report["redriven"], &report["outcome"]["settled"]), (&json!(1), &json!(1)), "{report}");
    }
    let said = run(&pipeline, "dead-letters redrive").await?;
    assert_eq!((said.code, said.json()?["letters"].as_u64()), (Some(0), Some(0)), "{said:?}");
    let list = listed(&pipeline, 0).await?;
    assert_eq!(list["redriven"], 4, "{list}");

    // There is one document per event, with its original id and time.
    let scoped = format!("cxone:{}", first.event_id);
    let records = pipeline.kafka.read_all(&topic).await?;
    // The first record of a request is the original, the second the redriven one.
    let written = |request| records.iter().find(|record| record.header("request-id") == Some(request))?.timestamp;
    let first = (first.event_id, written("r-first"));
    let others = [(oversized.event_id, "r-large"), (events.id(2), "r-unmappable"), (scoped, "r-other")];
    let others = others.map(|(id, request)| (id, written(request)));
    assert_documents(&pipeline, &[&[first][..], &others[..]].concat()).await?;
    indexer.stop().await?;
    receiver.stop().await
}

/// Asserts that the example of `group`, the event `event_id`, is shown with its payload and the headers of its record.
async fn shown_whole(pipeline: &Pipeline, group: &Value, event_id: &str) -> Result<()> {
    let place = group["examples"][0]["letter"].as_str().context("no example")?.to_owned();
    let shown = run(pipeline, &format!("dead-letters show {place}")).await?.json()?;
    assert_eq!(shown["payload"]["json"]["event_id"], event_id, "{shown}");
    assert_eq!((&shown["state"], &shown["error_type"]), (&json!("open"), &json!("too_many_items")), "{shown}");
    let has =
        |name: &str, value: &str| shown["headers"].as_array().is_some_and(|all| all.contains(&json!([name, value])));
    assert!(has("request-id", "r-large") && has("source", "cxone"), "{shown}");
    Ok(())
}

/// Redrives a letter before its cause is fixed. It fails again, and the failure is counted.
async fn redriven_in_vain(pipeline: &Pipeline) -> Result<()> {
    let said = guided(pipeline, "dead-letters redrive --reason document_parsing_exception --dry-run").await?;
    assert_eq!((said.code, said.json()?["redriven"].as_u64()), (Some(0), Some(1)), "{said:?}");
    let said = guided(pipeline, "dead-letters redrive --reason document_parsing_exception").await?;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(said.json()?["outcome"]["failed_again"], json!({"document_parsing_exception": 1}), "{said:?}");
    let letters = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    let again: Vec<_> = letters.iter().filter_map(|letter| letter.header("redrive.count")).collect();
    assert_eq!(again, ["1"]);
    Ok(())
}

/// Asserts that the index has exactly the documents with these ids, each with the time at which its event was first
/// written.
async fn assert_documents(pipeline: &Pipeline, expected: &[(String, Option<i64>)]) -> Result<()> {
    let index = &pipeline.config.elasticsearch.index_name;
    assert_eq!(pipeline.search.count(index).await?, expected.len() as u64);
    for (id, millis) in expected {
        let document = pipeline.search.document(index, id).await?.with_context(|| format!("no document {id}"))?;
        let expected = indexer::commands::times::text(millis.context("no timestamp")?);
        assert_eq!(document["_ingested_at"], expected, "{id}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redriven_event_without_a_key_keeps_its_original_id() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "redrive-keyless").await?;
    let topic = pipeline.config.kafka.topic.clone();
    let event = large(Events::unique().event(0));
    let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &event.encode()].concat();
    let record = Raw { partition: 2, value: Some(value), ..Raw::default() };
    pipeline.kafka.produce(&topic, &[record.clone(), record]).await?;
    let strict = strict_indexer(&mut pipeline).await?;
    pipeline.all_committed().await?;
    strict.stop().await?;
    // The event is redriven twice; the first time it fails for another reason.
    let strict = strict_indexer(&mut pipeline).await?;
    let said = run(&pipeline, "dead-letters redrive").await?;
    assert_eq!(said.code, Some(2), "{said:?}");
    strict.stop().await?;
    let indexer = pipeline.indexer().await?;
    let said = run(&pipeline, "dead-letters redrive").await?;
    assert_eq!(said.code, Some(0), "{said:?}");
    let records = pipeline.kafka.read_all(&topic).await?;
    let expected = |number: usize| {
        let (offset, timestamp) = (records[number].offset, records[number].timestamp);
        (format!("{topic}-2-{offset}-{}", timestamp.unwrap_or_default()), timestamp)
    };
    assert_documents(&pipeline, &[expected(0), expected(1)]).await?;
    assert!(records[2..].iter().all(|record| record.partition == 2 && record.key.is_none()), "{records:#?}");
    assert_eq!(records.last().and_then(|record| record.header("redrive.count")), Some("2"));
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_or_concurrent_redrive_redrives_nothing_twice() -> Result<()> {
    const LETTERS: usize = 60;
    let pipeline = Pipeline::new(&Stack::running()?, "redrive-killed").await?;
    let topic = &pipeline.config.kafka.topic;
    let undecodable = |number: usize| Raw {
        key: Some(format!("k{number}").into_bytes()),
        value: Some(b"no frame".to_vec()),
        ..Raw::default()
    };
    pipeline.kafka.produce(topic, &(0..LETTERS).map(undecodable).collect::<Vec<_>>()).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await?;

    let file = config_file(&pipeline).await?;
    let slow = ["dead-letters", "redrive", "--rate", "10", "--wait", "0s"];
    let start = || Process::start_with(Binary::Indexer, &file, &slow, &[], &pipeline.file("redrive.log"));
    let written = || async { anyhow::Ok(pipeline.kafka.read_all(topic).await?.len() - LETTERS) };
    let mut killed = start()?;
    eventually("some are redriven", || async {
        anyhow::ensure!(written().await? > 0, "{}", pipeline.kafka.count(topic).await?);
        Ok(())
    })
    .await?;
    killed.kill()?;
    let mut overtaken = start()?;
    let before = written().await?;
    eventually("some more are redriven", || async {
        anyhow::ensure!(written().await? > before, "{before}");
        Ok(())
    })
    .await?;
    let said = run(&pipeline, "dead-letters redrive --wait 0s").await?;
    assert_eq!(said.code, Some(0), "{said:?}");
    overtaken.ended().await?;
    let keys: Vec<_> = pipeline.kafka.read_all(topic).await?.into_iter().filter_map(|record| record.key).collect();
    let twice = |key: &Vec<u8>| keys.iter().filter(|other| *other == key).count() == 2;
    assert_eq!((keys.len(), keys.iter().all(twice)), (LETTERS * 2, true), "each once more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_letter_is_not_redriven_and_drop_needs_yes() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "redrive-dropped").await?;
    let undecodable = |key: &str| Raw { key: Some(key.into()), value: Some(b"no frame".to_vec()), ..Raw::default() };
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &[undecodable("a"), undecodable("b")]).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await?;
    let said = run(&pipeline, "dead-letters drop --reason not-framed --key a").await?;
    assert_eq!((said.code, said.json()?["letters"].as_u64()), (Some(1), Some(1)), "{said:?}");
    listed(&pipeline, 2).await?;
    let said = run(&pipeline, "dead-letters drop --reason not-framed --key a --yes").await?;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(listed(&pipeline, 1).await?["dropped"], 1);
    let said = run(&pipeline, "dead-letters redrive --wait 0s").await?;
    assert_eq!(said.json()?["redriven"], 1, "{said:?}");
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.last().and_then(|record| record.key.as_deref()), Some(&b"b"[..]));
    let shown = run(&pipeline, &format!("dead-letters show {}:0:99", pipeline.config.kafka.dead_letter_topic)).await?;
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(shown.stderr.contains("no letter"), "{shown:?}");
    Ok(())
}

fn undecodable(key: &str, bytes: usize) -> Raw {
    Raw { key: Some(key.into()), value: Some(vec![b'x'; bytes]), ..Raw::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_without_its_value_is_redriven_from_its_topic() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "redrive-large").await?;
    let small = format!("{}-small", pipeline.config.kafka.dead_letter_topic);
    pipeline.kafka.create_topic_with(&small, 1, &[("max.message.bytes", "2000")]).await?;
    pipeline.config.kafka.dead_letter_topic = small;
    let topic = &pipeline.config.kafka.topic;
    pipeline.kafka.produce(topic, &[undecodable("large", 5_000), undecodable("small", 100)]).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await?;
    let said = run(&pipeline, "dead-letters redrive --wait 0s").await?;
    assert_eq!((said.code, said.json()?["redriven"].as_u64()), (Some(0), Some(2)), "{said:?}");
    let records = pipeline.kafka.read_all(topic).await?;
    let values = |key: &[u8]| -> Vec<_> {
        let own = records.iter().filter(|record| record.key.as_deref() == Some(key));
        own.map(|record| record.value.as_ref().map(Vec::len)).collect()
    };
    assert_eq!((values(b"large"), values(b"small")), (vec![Some(5_000); 2], vec![Some(100); 2]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_its_topic_refuses_stays_a_dead_letter() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "redrive-refused").await?;
    let topic = &pipeline.config.kafka.topic;
    let records = [undecodable("small", 100), undecodable("large", 5_000), undecodable("other", 100)];
    pipeline.kafka.produce(topic, &records).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await?;
    pipeline.kafka.alter_topic(topic, &[("max.message.bytes", "2000")]).await?;
    let said = run(&pipeline, "dead-letters redrive --wait 0s").await?;
    assert_eq!((said.code, said.json()?["redriven"].as_u64()), (Some(2), Some(2)), "{said:?}");
    assert!(said.stdout.contains("its topic does not take it"), "{said:?}");
    let list = listed(&pipeline, 1).await?;
    assert_eq!((&list["redriven"], &list["groups"][0]["examples"][0]["key"]), (&json!(2), &json!("large")), "{list}");
    Ok(())
}

/// Two events of a file may have the same id. The timestamp proves nothing, neither before nor after the redrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redriven_event_with_the_id_of_another_is_still_a_conflict() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "redrive-twins").await?;
    let event = Events::unique().event(0);
    let other = Event { action_type: "another".to_owned(), ..event.clone() };
    let timestamp = Some(now());
    let raw = |event: &Event| Raw {
        key: Some(event.event_id.clone().into_bytes()),
        value: Some([frame(SchemaId(pipeline.schema_id)).as_slice(), &event.encode()].concat()),
        timestamp,
        ..Raw::default()
    };
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &[raw(&event), raw(&other)]).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let said = run(&pipeline, "dead-letters redrive").await?;
    let outcome = said.json()?["outcome"].take();
    assert_eq!((said.code, &outcome["failed_again"]), (Some(2), &json!({"id-conflict": 1})), "{said:?}");
    indexer.stop().await
}
