//! `doctor` and `status` on the real parts: what is right, what is wrong, and what to do.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::Method;
use harness::paths;
use harness::pipeline::Pipeline;
use harness::process::{self, Binary, Process, Said};
use harness::sender::Mix;
use harness::stack::Stack;
use serde_json::{Value, json};

async fn config_file(pipeline: &Pipeline) -> Result<PathBuf> {
    process::build().await?;
    let file = pipeline.file("penstock.yaml");
    process::write_config(&pipeline.config, &file)?;
    Ok(file)
}

/// Runs `command`, which the guide must contain word for word, with `more` arguments.
async fn guided(config: &Path, command: &str, more: &[&str]) -> Result<Said> {
    let guide = std::fs::read_to_string(paths::in_repository("docs/operate.md"))?;
    let line = format!("penstock-indexer {command}");
    anyhow::ensure!(guide.lines().any(|found| found.trim() == line), "docs/operate.md has no line {line:?}");
    let arguments: Vec<&str> = command.split(' ').chain(more.iter().copied()).collect();
    process::command(Binary::Indexer, config, &arguments).await
}

/// Returns the grade of the finding about `subject` that contains `words`.
fn grade<'a>(report: &'a Value, subject: &str, words: &str) -> Option<&'a str> {
    let findings = report["findings"].as_array()?;
    let is_it = |finding: &&Value| finding["subject"] == subject && finding["found"].to_string().contains(words);
    findings.iter().find(is_it)?["grade"].as_str()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_grades_each_part_and_says_what_to_do() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "doctor").await?;
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..20).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await?;
    pipeline.config.elasticsearch.mapping.subject = Some(pipeline.config.kafka.topic.clone());
    let report = guided(&config_file(&pipeline).await?, "doctor", &["--json"]).await?.json()?;
    let (topic, index) = (&pipeline.config.kafka.topic, &pipeline.config.elasticsearch.index_name);
    for (subject, words, expected) in [
        ("config".to_owned(), "", "ok"),
        ("kafka".to_owned(), "brokers answer", "ok"),
        (format!("kafka: topic {topic}"), "1 replica", "warn"),
        (format!("kafka: lag of {topic}"), "0 records wait", "ok"),
        ("registry".to_owned(), "answers", "ok"),
        (format!("registry: subject {topic}"), "usable", "ok"),
        ("elasticsearch".to_owned(), "", "ok"),
        (format!("elasticsearch: index {index}"), "none of them blocked", "ok"),
        (format!("elasticsearch: template of {index}"), "ours wins", "ok"),
        ("elasticsearch: clocks".to_owned(), "ms off", "ok"),
    ] {
        assert_eq!(grade(&report, &subject, words), Some(expected), "{subject}: {report:#}");
    }
    let findings = report["findings"].as_array().context("no findings")?;
    let without = |finding: &&Value| finding["grade"] != "ok" && finding["todo"].is_null();
    assert_eq!(findings.iter().find(without), None, "each says what to do");

    // From here on, several things are wrong.
    let template = json!({"index_patterns": [format!("{index}-*")], "priority": 100_000, "template": {}});
    let name = format!("{index}-shadow");
    pipeline.search.call(Method::PUT, &format!("_index_template/{name}"), &template).await?;
    let block = json!({"index.blocks.write": true});
    pipeline.search.call(Method::PUT, &format!("{index}/_settings"), &block).await?;
    let missing = format!("{topic}-missing");
    pipeline.config.kafka.dead_letter_topic.clone_from(&missing);
    pipeline.config.elasticsearch.mapping.subject = Some(missing.clone());
    let said = guided(&config_file(&pipeline).await?, "doctor", &["--json"]).await?;
    pipeline.search.call(Method::DELETE, &format!("_index_template/{name}"), &Value::Null).await?;
    let report = said.json()?;
    assert_eq!(said.code, Some(2), "{report:#}");
    for (subject, words, expected) in [
        (format!("kafka: topic {missing}"), "there is no topic", "fail"),
        (format!("registry: subject {missing}"), "", "fail"),
        (format!("elasticsearch: template of {index}"), &name, "fail"),
        (format!("elasticsearch: index {index}"), "index.blocks.write is set", "warn"),
    ] {
        assert_eq!(grade(&report, &subject, words), Some(expected), "{subject}: {report:#}");
    }
    Ok(())
}

/// Nothing else shows it before the index is full: it goes on taking documents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_names_a_step_of_the_lifecycle_that_has_failed() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "doctor-lifecycle").await?;
    let (policy, index) = (pipeline.file("ilm.yaml"), pipeline.config.elasticsearch.index_name.clone());
    std::fs::write(&policy, format!("policy_name: {index}\nhot:\n  rollover_max_age: 30d\n"))?;
    pipeline.config.ilm_config_path = Some(policy);
    pipeline.feed(Mix::good(Events::unique())).write(0..20).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await?;
    let (config, subject) = (config_file(&pipeline).await?, format!("elasticsearch: lifecycle of {index}"));
    let report = guided(&config, "doctor", &["--json"]).await?.json()?;
    assert_eq!(grade(&report, &subject, "no step has failed"), Some("ok"), "{report:#}");
    let settings = json!({"index.lifecycle.rollover_alias": "nobody"});
    pipeline.search.call(Method::PUT, &format!("{index}-000001/_settings"), &settings).await?;
    eventually("the step that fails is named", || async {
        let report = guided(&config, "doctor", &["--json"]).await?.json()?;
        anyhow::ensure!(grade(&report, &subject, "rollover_alias [nobody]") == Some("warn"), "{report:#}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_names_each_part_that_does_not_answer() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "doctor-down").await?;
    let config = &mut pipeline.config;
    config.kafka.brokers = "127.0.0.1:1".to_owned();
    config.kafka.timeout = std::time::Duration::from_secs(2);
    config.schema_registry.url = "http://127.0.0.1:1".to_owned();
    config.elasticsearch.url = "http://127.0.0.1:1".to_owned();
    let said = guided(&config_file(&pipeline).await?, "doctor", &[]).await?;
    assert_eq!(said.code, Some(2), "{said:?}");
    for part in ["FAIL  kafka: ", "FAIL  registry: ", "FAIL  elasticsearch: "] {
        let line = said.stdout.lines().position(|line| line.starts_with(part));
        let next = line.and_then(|line| said.stdout.lines().nth(line + 1)).unwrap_or_default();
        assert!(next.trim_start().starts_with("-> "), "{part}: {said:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_shows_members_lag_and_why_a_service_is_not_ready() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "status").await?;
    let topic = &pipeline.config.kafka.topic;
    let config = config_file(&pipeline).await?;
    pipeline.feed(Mix::good(Events::unique())).write(0..20).await?;
    let status = guided(&config, "status", &["--json"]).await?.json()?;
    assert_eq!((&status["topics"][0]["lag"], &status["topics"][0]["members"]), (&json!(20), &json!([])), "{status:#}");

    let (indexer, receiver) = (pipeline.indexer().await?, pipeline.receiver().await?);
    pipeline.all_committed().await?;
    let (of_indexer, of_receiver) = (indexer.admin_url(), receiver.admin_url());
    let nobody = "http://127.0.0.1:1";
    eventually("the metrics have caught up", || async {
        let arguments = ["--json", "--metrics", &of_indexer, &of_receiver, nobody];
        let status = guided(&config, "status", &arguments).await?.json()?;
        let of_topic = &status["topics"][0];
        anyhow::ensure!((&of_topic["topic"], &of_topic["lag"]) == (&json!(topic), &json!(0)), "{status:#}");
        anyhow::ensure!(of_topic["members"][0]["partitions"].as_array().map(Vec::len) == Some(4), "{status:#}");
        let services = &status["services"];
        let named = |number: usize| (services[number]["service"].as_str(), services[number]["ready"].as_bool());
        anyhow::ensure!(named(0) == (Some("indexer"), Some(true)), "{status:#}");
        anyhow::ensure!(named(1) == (Some("receiver"), Some(true)), "{status:#}");
        let figures = services[0]["figures"].as_array().into_iter().flatten();
        let values: HashMap<&str, &Value> =
            figures.filter_map(|it| Some((it["key"].as_str()?, &it["value"]))).collect();
        anyhow::ensure!(values["read"].is_number() && values["lag"] == &json!(0.0), "{status:#}");
        anyhow::ensure!(services[0]["parts"][topic]["breaker"] == "closed", "{status:#}");
        anyhow::ensure!(named(2) == (None, None) && services[2]["error"].is_string(), "{status:#}");
        Ok(())
    })
    .await?;

    // With --watch and no terminal, the status is printed as plain text again and again until the command is stopped.
    let log = pipeline.file("status.log");
    let mut watched =
        Process::start_with(Binary::Indexer, &config, &["status", "--watch", "--interval", "100ms"], &[], &log)?;
    eventually("it is shown twice", || async {
        let shown = std::fs::read_to_string(&log)?;
        anyhow::ensure!(shown.matches(&format!("topic {topic}: 0 records wait")).count() >= 2, "{shown}");
        anyhow::ensure!(!shown.contains('\u{1b}'), "{shown:?}");
        Ok(())
    })
    .await?;
    watched.terminate()?;
    assert!(watched.ended().await?.success());
    indexer.stop().await?;
    receiver.stop().await
}
