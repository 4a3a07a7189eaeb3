//! The template of an index, for two pipelines whose names begin alike, and if another template claims the names.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::{Pipeline, Service};
use harness::sender::Mix;
use harness::stack::Stack;
use indexer::commands::{SetUp, set_up};
use indexer::config::Strategy;
use serde_json::{Value, json};

const EVENTS: u64 = 50;
const NOW: SetUp = SetUp { dry_run: false, force: false };

async fn pipeline(scenario: &str) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    pipeline.config.elasticsearch.placement.margin = Duration::from_secs(1);
    set_policy(&mut pipeline)?;
    Ok(pipeline)
}

fn set_policy(pipeline: &mut Pipeline) -> Result<()> {
    let policy = pipeline.file("ilm.yaml");
    let name = &pipeline.config.elasticsearch.index_name;
    std::fs::write(&policy, format!("policy_name: {name}\nhot:\n  rollover_max_age: 30d\n"))?;
    pipeline.config.ilm_config_path = Some(policy);
    Ok(())
}

async fn index(pipeline: &Pipeline, name: &str) -> Result<Value> {
    Ok(pipeline.search.call(Method::GET, name, &Value::Null).await?[name].clone())
}

async fn roll_over(pipeline: &Pipeline) -> Result<()> {
    let path = format!("{}/_rollover", pipeline.config.elasticsearch.index_name);
    pipeline.search.call(Method::POST, &path, &json!({})).await.map(drop)
}

/// Returns the series of templates that claim our names. The series of our own template is 0.
async fn shadowed(indexer: &Service) -> Result<Vec<String>> {
    let text = http::get(&format!("{}/metrics", indexer.admin_url())).await?.text();
    let is_one = |line: &&str| line.contains("template_shadowed{") && !line.ends_with(" 0");
    Ok(text.lines().filter(is_one).map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelines_with_similar_names_have_their_own_templates() -> Result<()> {
    for longer_first in [false, true] {
        let short = pipeline("alike").await?;
        let mut long = pipeline("alike-long").await?;
        long.config.elasticsearch.index_name = format!("{}-eu", short.config.elasticsearch.index_name);
        set_policy(&mut long)?;
        let mut order = [&short, &long];
        if longer_first {
            order.reverse();
        }
        for pipeline in order {
            set_up(&pipeline.config.of_indexer(), NOW).await?;
        }
        for pipeline in order {
            roll_over(pipeline).await?;
            let name = &pipeline.config.elasticsearch.index_name;
            let second = index(pipeline, &format!("{name}-000002")).await?;
            let lifecycle = json!({"name": name, "rollover_alias": name});
            assert_eq!(second["settings"]["index"]["lifecycle"], lifecycle, "{second}");
            let aliases: Vec<&String> = second["aliases"].as_object().context("no aliases")?.keys().collect();
            assert_eq!(aliases, [name]);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_indices_do_not_get_the_alias_of_a_shorter_name() -> Result<()> {
    let mut short = pipeline("dated").await?;
    short.config.elasticsearch.strategy = Strategy::Time;
    short.config.ilm_config_path = None;
    let mut long = pipeline("dated-long").await?;
    long.config.elasticsearch.index_name = format!("{}-eu", short.config.elasticsearch.index_name);
    set_policy(&mut long)?;
    set_up(&short.config.of_indexer(), NOW).await?;
    set_up(&long.config.of_indexer(), NOW).await?;
    roll_over(&long).await?;
    let second = index(&long, &format!("{}-000002", long.config.elasticsearch.index_name)).await?;
    let aliases: Vec<&String> = second["aliases"].as_object().context("no aliases")?.keys().collect();
    assert_eq!(aliases, [&long.config.elasticsearch.index_name]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_of_usual_priority_does_not_claim_our_names() -> Result<()> {
    let pipeline = pipeline("usual-priority").await?;
    let name = &pipeline.config.elasticsearch.index_name;
    let theirs = json!({"index_patterns": [format!("{}*", &name[..name.len() - 2])], "priority": 500});
    pipeline.search.call(Method::PUT, &format!("_index_template/org-{name}"), &theirs).await?;
    let indexer = pipeline.indexer().await?;
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;
    pipeline.all_committed().await?;
    roll_over(&pipeline).await?;
    let second = index(&pipeline, &format!("{name}-000002")).await?;
    assert_eq!(second["settings"]["index"]["lifecycle"]["name"], *name);
    assert_eq!(second["mappings"]["properties"]["metadata"]["type"], "flattened");
    assert_eq!(shadowed(&indexer).await?, Vec::<String>::new());
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_claims_our_names_is_reported_and_does_no_harm() -> Result<()> {
    let pipeline = pipeline("shadowed").await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    let indexer = pipeline.indexer().await?;
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;
    pipeline.all_committed().await?;
    let theirs = json!({"index_patterns": [format!("{name}*")], "priority": 9_999});
    pipeline.search.call(Method::PUT, &format!("_index_template/org-{name}"), &theirs).await?;
    roll_over(&pipeline).await?;
    eventually("the metric names the template", || async {
        let lines = shadowed(&indexer).await?;
        let expected = format!(r#"penstock_indexer_template_shadowed{{index="{name}",template="org-{name}"}} 1"#);
        anyhow::ensure!(lines == [expected], "{lines:?}");
        Ok(())
    })
    .await?;
    eventually("the next index has the mapping", || async {
        let second = index(&pipeline, &format!("{name}-000002")).await?;
        let mappings = &second["mappings"];
        let is_ours = mappings["dynamic"] == "strict" && mappings["properties"]["metadata"]["type"] == "flattened";
        anyhow::ensure!(is_ours, "{mappings}");
        Ok(())
    })
    .await?;
    pipeline.feed(mix).write(0..2 * EVENTS).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..2 * EVENTS).collect::<Vec<_>>())).await?;
    indexer.stop().await
}
