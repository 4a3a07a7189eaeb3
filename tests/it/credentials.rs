//! An Elasticsearch with security: a key that was revoked, or that may not write to the index, blocks until it is
//! renewed in its file. Nothing is lost, nothing becomes a dead letter, and no restart is needed.

use std::path::PathBuf;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::Method;
use harness::indexer_process::IndexerProcess;
use harness::pipeline::Pipeline;
use harness::process::{self, Binary};
use harness::search::Search;
use harness::sender::Mix;
use harness::stack::OwnStack;
use indexer::config::ElasticsearchAuth;
use serde_json::{Value, json};

const USER: &str = "admin";
const PASSWORD: &str = "a-password-of-the-tests";
/// The number of events in each part of the scenario.
const EVENTS: u64 = 200;

/// An API key.
struct Key {
    id: String,
    encoded: String,
}

async fn key(admin: &Search, indices: &str, privileges: &[&str]) -> Result<Key> {
    let role = json!({
        "cluster": ["monitor", "manage_index_templates", "manage_ilm"],
        "indices": [{"names": [indices], "privileges": privileges}],
    });
    let body = json!({"name": indices, "role_descriptors": {"writer": role}});
    let answer = admin.call(Method::POST, "_security/api_key", &body).await?;
    let text = |name: &str| answer[name].as_str().map(str::to_owned).with_context(|| format!("no {name}: {answer}"));
    Ok(Key { id: text("id")?, encoded: text("encoded")? })
}

async fn blocked(indexer: &IndexerProcess, words: &[&str]) -> Result<()> {
    eventually("the indexer says why it may not write", || async {
        let unready = indexer.unready().await?;
        let reason = unready.lines().find(|line| line.starts_with("elasticsearch: ")).unwrap_or_default();
        anyhow::ensure!(words.iter().all(|word| reason.contains(word)), "{words:?} are not all in {unready:?}");
        anyhow::ensure!(!unready.contains(PASSWORD), "a secret is shown");
        Ok(())
    })
    .await?;
    anyhow::ensure!(
        indexer.metric(r#"penstock_indexer_blocked{reason="security"}"#).await? == 1.0,
        "the metric is silent"
    );
    Ok(())
}

/// Returns the doctor's findings about the privileges: the grade and words of each line.
async fn privileges(pipeline: &Pipeline) -> Result<Vec<String>> {
    let config = pipeline.file("doctor.yaml");
    process::write_config(&pipeline.config, &config)?;
    let report = process::command(Binary::Indexer, &config, &["doctor", "--json"]).await?.json()?;
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().context("no findings")?;
    let own = findings.iter().filter(|finding| text(finding, "subject").starts_with("elasticsearch: privileges"));
    Ok(own.map(|finding| format!("{}: {}", text(finding, "grade"), text(finding, "found"))).collect())
}

/// Waits for the user, which is known a few seconds after it was created.
async fn admin(elasticsearch: &OwnStack) -> Result<Search> {
    elasticsearch.add_user(USER, PASSWORD).await?;
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let admin = Search::new(elasticsearch.stack.elasticsearch_url()).authorized(basic);
    eventually("the user is known", || async {
        admin.call(Method::GET, "_security/_authenticate", &Value::Null).await
    })
    .await?;
    Ok(admin)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_may_not_write_blocks_until_it_is_renewed_in_its_file() -> Result<()> {
    process::build().await?;
    let security = [("ES_EXTRA", "-E xpack.security.enabled=true")];
    let elasticsearch = OwnStack::elasticsearch("credentials", &security).await?;
    let admin = admin(&elasticsearch).await?;
    let mut pipeline = Pipeline::new(&elasticsearch.stack, "credentials").await?;
    pipeline.search = admin.clone();
    let pattern = format!("{}*", pipeline.config.elasticsearch.index_name);
    let file: PathBuf = pipeline.file("key");
    pipeline.config.elasticsearch.auth = ElasticsearchAuth::ApiKey { api_key: None, api_key_file: Some(file.clone()) };
    let mix = Mix::good(Events::unique());
    let feed = pipeline.feed(mix);
    let all_there = |count: u64| {
        let ids = mix.indexable(&(0..count).collect::<Vec<_>>());
        let pipeline = &pipeline;
        async move { pipeline.delivered_exactly(&ids).await }
    };

    let first = key(&admin, &pattern, &["all"]).await?;
    std::fs::write(&file, &first.encoded)?;
    let indexer = IndexerProcess::start(&pipeline, 0)?;
    indexer.ready().await?;
    feed.write(0..EVENTS).await?;
    all_there(EVENTS).await?;

    let complete = privileges(&pipeline).await?;
    assert!(complete.iter().all(|line| line.starts_with("ok: ")) && !complete.is_empty(), "{complete:?}");

    admin.call(Method::DELETE, "_security/api_key", &json!({"ids": [first.id]})).await?;
    feed.write(EVENTS..2 * EVENTS).await?;
    blocked(&indexer, &["security", "401"]).await?;

    // The key is valid, but may only write elsewhere, so each document is answered 403.
    std::fs::write(&file, key(&admin, "somewhere-else", &["all"]).await?.encoded)?;
    blocked(&indexer, &["security", "403"]).await?;
    let missing = privileges(&pipeline).await?;
    assert!(missing.iter().any(|line| line == "fail: the index privilege read is missing"), "{missing:?}");

    std::fs::write(&file, key(&admin, &pattern, &["all"]).await?.encoded)?;
    all_there(2 * EVENTS).await?;
    indexer.ready().await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    indexer.stop().await
}
