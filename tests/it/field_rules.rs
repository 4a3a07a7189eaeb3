//! `elasticsearch.documents.fields`: masked, hashed and dropped values are nowhere but in Kafka, a replay writes the
//! same bytes, and rules that do not fit a schema lose no event.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result, ensure};
use avro::FieldRule;
use harness::command;
use harness::event::{Events, now, put_long, put_string};
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::indexer_process::IndexerProcess;
use harness::kafka::{Raw, Record};
use harness::pipeline::{Pipeline, metric, register};
use harness::process;
use harness::size;
use harness::stack::Stack;
use hmac::{Hmac, KeyInit, Mac};
use registry::wire::{SchemaId, frame};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::Sha256;

const SCHEMA: &str = r#"{"type":"record","name":"Call","fields":[
    {"name":"event_id","type":"string"},
    {"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"agent","type":"string"},
    {"name":"phone","type":["null","string"]},
    {"name":"mobile","type":"string"},
    {"name":"card","type":"string"},
    {"name":"pin","type":["null","string"]},
    {"name":"notes","type":{"type":"array","items":"string"}},
    {"name":"contacts","type":{"type":"array","items":{"type":"record","name":"Contact","fields":[
        {"name":"kind","type":"string"},
        {"name":"address","type":"string"}]}}},
    {"name":"metadata","type":{"type":"map","values":"string"}},
    {"name":"private","type":{"type":"map","values":"string"}},
    {"name":"caller","type":["null",
        {"type":"record","name":"Person","fields":[{"name":"email","type":"string"}]},
        {"type":"record","name":"Robot","fields":[{"name":"serial","type":"string"}]}]}
]}"#;

const RULES: &str = r#"{
    "agent": {"rename": "agent_name"},
    "phone": "mask",
    "mobile": {"keep_last": 4},
    "card": "hash",
    "pin": "drop",
    "notes": "mask",
    "contacts.address": "hash",
    "metadata.*": "mask",
    "metadata.queue": "keep",
    "metadata.ssn": "drop",
    "private": "drop",
    "caller.email": "mask"
}"#;

const SECRET: &str = "a secret of the tests, long enough";
/// The text in each value that must be nowhere but in Kafka.
const MARK: &str = "Xq7ZsecretZq7X";
/// Every event with a multiple of this number has a field that the index refuses.
const REFUSED_EVERY: u64 = 500;
/// Every event with a multiple of this number is no datum, and fails at a key that contains the mark.
const INVALID_EVERY: u64 = 700;

/// The result for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Indexed,
    Refused,
    Invalid,
}

fn fate(number: u64) -> Fate {
    if number % INVALID_EVERY == INVALID_EVERY - 1 {
        return Fate::Invalid;
    }
    if number % REFUSED_EVERY == REFUSED_EVERY - 1 { Fate::Refused } else { Fate::Indexed }
}

fn marked(field: &str, number: u64) -> String {
    format!("{field}-{MARK}-{number:06}")
}

fn datum(id: &str, number: u64) -> Vec<u8> {
    let mut datum = Vec::new();
    put_string(&mut datum, id);
    put_long(&mut datum, now());
    put_string(&mut datum, &format!("agent-{number}"));
    put_long(&mut datum, i64::from(fate(number) == Fate::Refused));
    if fate(number) == Fate::Refused {
        put_string(&mut datum, &marked("phone", number));
    }
    put_string(&mut datum, &marked("mobile", number));
    put_string(&mut datum, &marked("card", number));
    put_long(&mut datum, 1);
    put_string(&mut datum, &marked("pin", number));
    put_long(&mut datum, 2);
    ["note \"one\" ", "note two "].iter().for_each(|note| put_string(&mut datum, &marked(note, number)));
    put_long(&mut datum, 0);
    put_long(&mut datum, 1);
    put_string(&mut datum, "mail");
    put_string(&mut datum, &marked("address", number));
    put_long(&mut datum, 0);
    put_long(&mut datum, 3);
    for key in ["queue", "name", "ssn"] {
        put_string(&mut datum, key);
        put_string(&mut datum, &if key == "queue" { "billing".to_owned() } else { marked(key, number) });
    }
    put_long(&mut datum, 0);
    let keys = if fate(number) == Fate::Invalid { 2 } else { 1 };
    put_long(&mut datum, keys);
    for _ in 0..keys {
        put_string(&mut datum, &marked("key", number));
        put_string(&mut datum, "v");
    }
    put_long(&mut datum, 0);
    put_long(&mut datum, 1);
    put_string(&mut datum, &marked("email", number));
    datum
}

/// Creates a pipeline with the rules, and `count` events in its topic.
async fn fed(count: u64) -> Result<(Pipeline, Vec<Raw>, HashSet<String>)> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "field-rules").await?;
    let subject = format!("{}-calls", pipeline.config.elasticsearch.index_name);
    pipeline.schema_id = register(&pipeline.config.schema_registry.url, &subject, SCHEMA).await?;
    let secret = pipeline.file("hash-secret");
    std::fs::write(&secret, format!("{SECRET}\n"))?;
    let elasticsearch = &mut pipeline.config.elasticsearch;
    elasticsearch.documents.fields = Some(serde_json::from_str(RULES)?);
    elasticsearch.documents.hash_secret_file = Some(secret);
    // The masked value does not fit the mapping. So each event with the field is refused, and the server quotes what it
    // was sent.
    elasticsearch.mapping.fields = [("phone".to_owned(), serde_json::from_value(json!({ "type": "long" }))?)].into();
    let events = Events::unique();
    let (mut records, mut indexed) = (Vec::new(), HashSet::new());
    for number in 0..count {
        let id = events.id(number);
        let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &datum(&id, number)].concat();
        if fate(number) == Fate::Indexed {
            indexed.insert(id.clone());
        }
        let partition = i32::try_from(number % 4)?;
        records.push(Raw { partition, key: Some(id.into_bytes()), value: Some(value), timestamp: None });
    }
    for part in records.chunks(1_000) {
        pipeline.kafka.produce(&pipeline.config.kafka.topic, part).await?;
    }
    Ok((pipeline, records, indexed))
}

/// The members of an object as they are written.
type Members = BTreeMap<String, Box<RawValue>>;

/// Returns the documents of `index` by id, as they are stored, at most 10,000.
async fn sources(pipeline: &Pipeline, index: &str) -> Result<BTreeMap<String, String>> {
    pipeline.search.refresh(index).await?;
    let url = format!("{}/{index}/_search?size=10000", pipeline.config.elasticsearch.url);
    let answer: Members = serde_json::from_slice(&http::get(&url).await?.body)?;
    let hits: Members = serde_json::from_str(answer["hits"].get())?;
    let hits: Vec<Members> = serde_json::from_str(hits["hits"].get())?;
    let hit = |hit: Members| Ok((serde_json::from_str(hit["_id"].get())?, hit["_source"].get().to_owned()));
    hits.into_iter().map(hit).collect()
}

fn ensure_unmarked(what: &str, text: &str) -> Result<()> {
    let Some(at) = text.find(MARK) else { return Ok(()) };
    let around = &text[text.floor_char_boundary(at.saturating_sub(80))..text.ceil_char_boundary(at + 40)];
    anyhow::bail!("{what} has a hidden value: …{around}…")
}

/// Checks that no header of the dead letters contains the mark. Returns how many there are of each error type.
fn examine(letters: &[Record]) -> Result<BTreeMap<String, usize>> {
    let mut types = BTreeMap::new();
    for letter in letters {
        for (name, value) in &letter.headers {
            ensure_unmarked(&format!("the header {name}"), &String::from_utf8_lossy(value))?;
        }
        let error_type = letter.header("dl.error-type").context("no error type")?;
        *types.entry(error_type.to_owned()).or_default() += 1;
    }
    Ok(types)
}

/// Runs an indexer over the whole topic with the `config` of the pipeline, and checks its output.
async fn run_to_the_end(pipeline: &Pipeline, number: usize) -> Result<()> {
    let member = IndexerProcess::start_with(pipeline, number, |config| config.log.level = "debug".to_owned())?;
    member.ready().await?;
    pipeline.all_committed().await?;
    let metrics = http::get(&format!("{}/metrics", member.admin_url())).await?.text();
    ensure_unmarked("/metrics", &metrics)?;
    assert_eq!(member.metric("penstock_indexer_id_conflicts_total").await?, 0.0);
    assert_eq!(member.metric("penstock_indexer_unmet_field_rules").await?, 0.0, "each rule has its field");
    member.stop().await?;
    ensure_unmarked("the log", &std::fs::read_to_string(pipeline.file(&format!("indexer-{number}.log")))?)
}

fn hashed(text: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(text.as_bytes());
    Ok(hex::encode(mac.finalize().into_bytes()))
}

/// Returns the document of event `number`, without its times.
fn expected(id: &str, number: u64) -> Result<Value> {
    Ok(json!({
        "event_id": id,
        "agent_name": format!("agent-{number}"),
        "phone": null,
        "mobile": format!("***{:04}", number % 10_000),
        "card": hashed(&marked("card", number))?,
        "notes": ["***", "***"],
        "contacts": [{ "kind": "mail", "address": hashed(&marked("address", number))? }],
        "metadata": { "queue": "billing", "name": "***" },
        "caller": { "email": "***" },
    }))
}

async fn commands_say_nothing(pipeline: &Pipeline, letters: &[Record]) -> Result<()> {
    let topic = &pipeline.config.kafka.topic;
    let dead_letter_topic = &pipeline.config.kafka.dead_letter_topic;
    let invalid = letters.iter().find(|letter| letter.header("dl.error-type") == Some("duplicate_key"));
    let refused = letters.iter().find(|letter| letter.header("dl.stage") == Some("index"));
    let (invalid, refused) = (invalid.context("no invalid one")?, refused.context("no refused one")?);
    let id = String::from_utf8_lossy(refused.key.as_deref().context("no key")?).into_owned();
    let place = |letter: &Record| format!("{dead_letter_topic}:{}:{}", letter.partition, letter.offset);
    for arguments in [
        vec!["dead-letters".to_owned(), "list".to_owned()],
        vec!["dead-letters".to_owned(), "show".to_owned(), place(invalid)],
        vec!["dead-letters".to_owned(), "show".to_owned(), place(refused)],
        vec!["find".to_owned(), id],
        vec!["explain".to_owned(), format!("{topic}:0:0")],
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = command::run(pipeline, &arguments).await?;
        ensure!(!said.output.is_empty(), "{arguments:?}: {said:#?}");
        ensure_unmarked(&format!("{arguments:?}"), &format!("{}{}", said.output, said.errors))?;
        // Bytes in hexadecimal would also reveal the value.
        ensure!(!said.output.contains(&hex::encode(MARK)), "{arguments:?} shows the bytes");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hidden_values_are_only_in_kafka_and_a_replay_repeats_the_bytes() -> Result<()> {
    let count = size::number("PENSTOCK_FIELD_RULES_EVENTS", 10_000)?.min(10_000);
    process::build().await?;
    let (mut pipeline, sent, indexed) = fed(count).await?;
    let index = pipeline.config.elasticsearch.index_name.clone();
    run_to_the_end(&pipeline, 0).await?;

    let first = sources(&pipeline, &index).await?;
    assert_eq!(first.keys().cloned().collect::<HashSet<_>>(), indexed);
    first.iter().try_for_each(|(id, source)| ensure_unmarked(id, source))?;
    for number in (0..count).filter(|number| fate(*number) == Fate::Indexed).take(50) {
        let id = String::from_utf8_lossy(sent[usize::try_from(number)?].key.as_deref().context("no key")?).into_owned();
        let mut document: Value = serde_json::from_str(&first[&id])?;
        let members = document.as_object_mut().context("no document")?;
        assert!(members.remove("_ingested_at").is_some() && members.remove("timestamp").is_some());
        assert_eq!(document, expected(&id, number)?);
    }
    let mapping = pipeline.search.call(Method::GET, &format!("{index}/_mapping"), &Value::Null).await?;
    ensure_unmarked("the mapping", &mapping.to_string())?;
    let fields = &mapping[format!("{index}-000001")]["mappings"]["properties"];
    assert_eq!((&fields["card"]["type"], &fields["agent_name"]["type"]), (&json!("keyword"), &json!("keyword")));
    assert!(fields["pin"].is_null() && fields["private"].is_null() && fields["agent"].is_null(), "{fields:#}");

    let letters = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    let of = |wanted: Fate| (0..count).filter(|number| fate(*number) == wanted).count();
    let types = examine(&letters)?;
    assert_eq!(types.get("duplicate_key"), Some(&of(Fate::Invalid)), "{types:?}");
    assert_eq!(letters.len(), of(Fate::Invalid) + of(Fate::Refused), "{types:?}");
    let reasons: Vec<&str> = letters.iter().filter_map(|letter| letter.header("dl.reason")).collect();
    assert!(reasons.iter().any(|reason| reason.contains("phone")), "the refusals are of the masked field: {reasons:?}");
    commands_say_nothing(&pipeline, &letters).await?;
    let mut kept: Vec<_> = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    kept.sort_by(|a, b| a.key.cmp(&b.key));
    let mut sent: Vec<_> = sent.into_iter().map(|raw| (raw.key, raw.value)).collect();
    sent.sort();
    assert_eq!(kept.into_iter().map(|record| (record.key, record.value)).collect::<Vec<_>>(), sent, "Kafka's bytes");

    // A second run into the same index changes nothing and finds no conflict.
    pipeline.config.indexer.group_id = format!("{index}-again");
    run_to_the_end(&pipeline, 1).await?;
    assert_eq!(sources(&pipeline, &index).await?, first);
    // A run into another index writes the same bytes.
    pipeline.config.indexer.group_id = format!("fresh-{index}");
    pipeline.config.elasticsearch.index_name = format!("fresh-{index}");
    run_to_the_end(&pipeline, 2).await?;
    assert_eq!(sources(&pipeline, &format!("fresh-{index}")).await?, first);
    examine(&pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?).map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_fails_makes_dead_letters_and_one_without_field_shows() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "field-rules-clash").await?;
    let rules = [
        ("action_type".to_owned(), FieldRule::Rename("user_id".to_owned())),
        ("nothing.like.it".to_owned(), FieldRule::Mask),
    ];
    pipeline.config.elasticsearch.documents.fields = Some(rules.into());
    let events = Events::unique();
    let event = events.event(0);
    let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &event.encode()].concat();
    let record = Raw { partition: 0, key: Some(event.event_id.into_bytes()), value: Some(value), timestamp: None };
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &[record]).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let letters = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    let [letter] = letters.as_slice() else { panic!("{letters:#?}") };
    assert_eq!(letter.header("dl.error-type"), Some("field-rules"));
    assert!(letter.header("dl.reason").is_some_and(|reason| reason.contains("user_id")), "{letter:#?}");
    indexer.stop().await?;

    // Once the config is fixed, the event can be redriven.
    pipeline.config.elasticsearch.documents.fields = Some([("nothing.like.it".to_owned(), FieldRule::Mask)].into());
    let indexer = pipeline.indexer().await?;
    let said = command::run(&pipeline, &["dead-letters", "redrive", "--json"]).await?;
    assert_eq!(said.code, 0, "{said:#?}");
    eventually("the event is indexed, and the rule reported", || async {
        let count = pipeline.search.count(&pipeline.config.elasticsearch.index_name).await?;
        let unmet = metric(&indexer.admin_url(), "penstock_indexer_unmet_field_rules").await?;
        ensure!(count == 1 && unmet == 1.0, "{count} documents, {unmet} rules");
        Ok(())
    })
    .await?;
    indexer.stop().await
}

harness::on_opensearch! {
    hidden_values_are_only_in_kafka_and_a_replay_repeats_the_bytes,
}
