//! Policy, templates and first index on the real Elasticsearch: ten concurrent setups, a rollover by the policy alone,
//! manual changes, and refusals.

use anyhow::{Context, Result};
use futures::future::try_join_all;
use harness::command;
use harness::config::Config;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::Pipeline;
use harness::sender::Mix;
use harness::stack::Stack;
use indexer::commands::{SetUp, set_up};
use indexer::config::Strategy;
use serde_json::{Value, json};

const NOW: SetUp = SetUp { dry_run: false, force: false };

/// Creates a pipeline with the lifecycle policy `text`, which has the name of the index.
async fn pipeline(scenario: &str, text: &str) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    set_policy(&mut pipeline, text)?;
    Ok(pipeline)
}

fn set_policy(pipeline: &mut Pipeline, text: &str) -> Result<()> {
    let path = pipeline.file("ilm.yaml");
    std::fs::write(&path, format!("policy_name: {}\n{text}", pipeline.config.elasticsearch.index_name))?;
    pipeline.config.ilm_config_path = Some(path);
    Ok(())
}

async fn get(config: &Config, path: &str) -> Result<Value> {
    let answer = http::get(&format!("{}/{path}", config.elasticsearch.url)).await?;
    anyhow::ensure!(answer.status == 200, "{path}: {}: {}", answer.status, answer.text());
    answer.json()
}

async fn put(config: &Config, path: &str, body: &Value) -> Result<Value> {
    http::json(Method::PUT, &format!("{}/{path}", config.elasticsearch.url), body).await
}

/// Returns the backing indices behind the alias.
async fn backing(config: &Config) -> Result<Vec<String>> {
    let aliases = get(config, &format!("_alias/{}", config.elasticsearch.index_name)).await?;
    Ok(aliases.as_object().context("no aliases")?.keys().cloned().collect())
}

const FULL: &str = "hot:\n  rollover_max_age: 1d\n  rollover_max_size: 50gb\n  priority: 100\n\
    warm:\n  min_age: 2d\n  readonly: true\n  shrink_shards: 1\n  forcemerge_segments: 1\n  priority: 50\n\
    cold:\n  min_age: 30d\n  readonly: true\n  priority: 0\ndelete:\n  min_age: 90d\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_concurrent_setups_reach_one_state_without_an_error() -> Result<()> {
    for (scenario, strategy) in [
        ("setup-rollover", Strategy::Rollover),
        ("setup-stream", Strategy::DataStream),
        ("setup-single", Strategy::Single),
    ] {
        let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
        if strategy != Strategy::Single {
            set_policy(&mut pipeline, FULL)?;
        }
        pipeline.config.elasticsearch.strategy = strategy;
        pipeline.config.elasticsearch.mapping.subject = Some(pipeline.config.elasticsearch.index_name.clone());
        let config = &pipeline.config;
        let of_indexer = config.of_indexer();
        try_join_all((0..10).map(|_| set_up(&of_indexer, NOW))).await?;
        let name = &config.elasticsearch.index_name;
        let mapping = get(config, &format!("{name}/_mapping")).await?;
        let indices = mapping.as_object().context("no indices")?;
        assert_eq!(indices.len(), 1, "{mapping}");
        for index in indices.values() {
            assert_eq!(index["mappings"]["properties"]["event_id"]["type"], "keyword", "{mapping}");
        }
        // Another setup changes nothing, so a dry run prints nothing.
        let dry = set_up(&of_indexer, SetUp { dry_run: true, ..NOW }).await?;
        assert_eq!(dry, Vec::<String>::new());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_rolls_the_index_over_by_itself() -> Result<()> {
    let pipeline = pipeline("setup-ilm", "hot:\n  rollover_max_docs: 100\n").await?;
    let mix = Mix::good(Events::unique());
    let indexer = pipeline.indexer().await?;
    pipeline.feed(mix).write(0..150).await?;
    eventually("the policy rolls the index over", || async {
        pipeline.search.refresh(&pipeline.config.elasticsearch.index_name).await?;
        let indices = backing(&pipeline.config).await?;
        anyhow::ensure!(indices.len() >= 2, "{indices:?}");
        Ok(())
    })
    .await?;
    pipeline.feed(mix).write(150..200).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..200).collect::<Vec<_>>())).await?;
    // The new index has the template's mapping, learnt from the events.
    let name = format!("{}-000002", pipeline.config.elasticsearch.index_name);
    let mapping = get(&pipeline.config, &format!("{name}/_mapping")).await?;
    assert_eq!(mapping[&name]["mappings"]["properties"]["metadata"]["type"], "flattened", "{mapping}");
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manual_changes_are_kept_until_setup_is_forced() -> Result<()> {
    let mut pipeline = pipeline("setup-by-hand", "hot:\n  rollover_max_docs: 100\n").await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    let path = format!("_ilm/policy/{name}");
    let policy = |config: Config, path: String, name: String| async move {
        anyhow::Ok(get(&config, &path).await?[&name]["policy"].clone())
    };
    let max_docs = |policy: &Value| policy["phases"]["hot"]["actions"]["rollover"]["max_docs"].clone();
    set_up(&pipeline.config.of_indexer(), NOW).await?;
    set_policy(&mut pipeline, "hot:\n  rollover_max_docs: 200\ndelete:\n  min_age: 9d\n")?;
    set_up(&pipeline.config.of_indexer(), NOW).await?;
    let mut by_hand = policy(pipeline.config.clone(), path.clone(), name.clone()).await?;
    assert_eq!(max_docs(&by_hand), 200, "ours follows the config");

    by_hand["phases"]["hot"]["actions"]["rollover"]["max_docs"] = json!(777);
    put(&pipeline.config, &path, &json!({ "policy": by_hand })).await?;
    set_policy(&mut pipeline, "hot:\n  rollover_max_docs: 300\n")?;
    set_up(&pipeline.config.of_indexer(), NOW).await?;
    assert_eq!(max_docs(&policy(pipeline.config.clone(), path.clone(), name.clone()).await?), 777);
    let dry = set_up(&pipeline.config.of_indexer(), SetUp { dry_run: true, force: true }).await?;
    assert!(
        dry.iter().any(|request| request.starts_with(&format!("PUT /{path}\n")) && request.contains("300")),
        "{dry:?}"
    );
    set_up(&pipeline.config.of_indexer(), SetUp { force: true, ..NOW }).await?;
    assert_eq!(max_docs(&policy(pipeline.config.clone(), path, name).await?), 300);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_policy_is_refused_with_its_line_or_the_servers_reason() -> Result<()> {
    let mut pipeline = pipeline("setup-bad", "hot:\n  rollover_max_age: 1 day\n").await?;
    let error = set_up(&pipeline.config.of_indexer(), NOW).await.unwrap_err().to_string();
    assert!(error.contains("ilm.yaml:3: hot.rollover_max_age: \"1 day\" is not an age"), "{error}");
    let name = &pipeline.config.elasticsearch.index_name;
    let sent = http::get(&format!("{}/_ilm/policy/{name}", pipeline.config.elasticsearch.url)).await?;
    assert_eq!(sent.status, 404, "something was sent");
    // The number is larger than Elasticsearch can count.
    set_policy(&mut pipeline, "hot:\n  rollover_max_docs: 10000000000000000000\n")?;
    let error = set_up(&pipeline.config.of_indexer(), NOW).await.unwrap_err().to_string();
    assert!(error.contains("was answered 400") && error.contains("max_docs"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_indices_get_an_alias_and_a_data_stream_its_timestamp() -> Result<()> {
    let mut pipeline = pipeline("setup-time", "delete:\n  min_age: 90d\n").await?;
    pipeline.config.elasticsearch.strategy = Strategy::Time;
    set_up(&pipeline.config.of_indexer(), NOW).await?;
    let name = &pipeline.config.elasticsearch.index_name;
    put(&pipeline.config, &format!("{name}-2026.01.02"), &json!({})).await?;
    assert_eq!(backing(&pipeline.config).await?, [format!("{name}-2026.01.02")]);

    let mut stream = Pipeline::new(&Stack::running()?, "setup-stream-events").await?;
    stream.config.elasticsearch.strategy = Strategy::DataStream;
    let mix = Mix::good(Events::unique());
    stream.feed(mix).write(0..50).await?;
    let indexer = stream.indexer().await?;
    stream.delivered_exactly(&mix.indexable(&(0..50).collect::<Vec<_>>())).await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_is_logged_only_if_the_server_accepts_it() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "setup-log").await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    pipeline.config.elasticsearch.mapping.subject = Some(name.clone());
    let said = command::run(&pipeline, &["setup"]).await?;
    assert!(said.code == 0 && said.errors.contains("Created the component template."), "{said:#?}");
    let path = format!("_component_template/penstock-{name}");
    let pointer = "/component_templates/0/component_template/template/mappings/properties/action_type/type";
    for (analyzer, is_taken) in [("no-such-analyzer", false), ("standard", true)] {
        let fields = json!({ "action_type": { "type": "text", "analyzer": analyzer } });
        pipeline.config.elasticsearch.mapping.fields = serde_json::from_value(fields)?;
        let said = command::run(&pipeline, &["setup"]).await?;
        assert_eq!(said.code == 0, is_taken, "{said:#?}");
        assert_eq!(said.errors.contains("Updated the component template."), is_taken, "{said:#?}");
        assert_eq!(said.errors.contains(analyzer), !is_taken, "{said:#?}");
        let live = get(&pipeline.config, &path).await?;
        assert_eq!(live.pointer(pointer) == Some(&json!("text")), is_taken, "{live}");
    }
    Ok(())
}

harness::on_opensearch! {
    an_update_is_logged_only_if_the_server_accepts_it,
    ten_concurrent_setups_reach_one_state_without_an_error,
    time_indices_get_an_alias_and_a_data_stream_its_timestamp,
}
