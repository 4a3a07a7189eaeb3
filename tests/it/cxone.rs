//! Schemas from CXone, for which a stub stands in, into the real registry: by command, and in a running receiver.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::event::{Events, SCHEMA};
use harness::eventually::eventually;
use harness::http;
use harness::paths;
use harness::pipeline::{Pipeline, metric, register, uses_schema};
use harness::ports;
use harness::process::{self, Binary, write_config};
use harness::stack::Stack;
use serde_json::json;

use stub::{SECRET, Stub};

mod stub;
mod tunnelled;

const AVRO: (&str, &str) = ("content-type", "application/avro");

/// Returns the schema with one more field before the others, so that no event fits both schemas.
fn with_field(field: &str) -> String {
    SCHEMA.replace(r#""fields": ["#, &format!(r#""fields": [{field},"#))
}

fn with_shift() -> String {
    with_field(r#"{"name": "shift", "type": "int", "default": 0}"#)
}

/// The output of a command, and its exit code.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn command(pipeline: &Pipeline, arguments: &[&str]) -> Result<Said> {
    process::build().await?;
    let file = pipeline.file("penstock.yaml");
    write_config(&pipeline.config, &file)?;
    let mut command = Command::new(paths::profile()?.join(Binary::Receiver.name()));
    command.arg("--config").arg(file).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await?.context("cannot be started")?;
    let (out, err) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    anyhow::ensure!(!format!("{out}{err}").contains(SECRET), "the secret is shown: {out}{err}");
    Ok(Said { code: output.status.code(), out, err })
}

/// Creates a pipeline whose subject refuses schemas that are not backward compatible.
async fn pipeline(name: &str, stub: &Stub) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
    pipeline.config.cxone = stub.section(&pipeline.file("secret"))?;
    let url = format!("{}/config/{}", pipeline.config.schema_registry.url, pipeline.config.kafka.topic);
    http::json(http::Method::PUT, &url, &json!({"compatibility": "BACKWARD"})).await?;
    Ok(pipeline)
}

/// Returns the number of versions of the pipeline's subject.
async fn versions(pipeline: &Pipeline) -> Result<usize> {
    let (url, subject) = (&pipeline.config.schema_registry.url, &pipeline.config.kafka.topic);
    let answer = http::get(&format!("{url}/subjects/{subject}/versions")).await?.json()?;
    Ok(answer.as_array().context("no list")?.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_registers_only_new_and_compatible_schemas() -> Result<()> {
    let stub = Stub::start(SCHEMA).await?;
    let pipeline = pipeline("cxone-pull", &stub).await?;
    let subject = pipeline.config.kafka.topic.clone();
    let said = command(&pipeline, &["schema", "pull"]).await?;
    let unchanged = format!("{subject}: unchanged, version 1, schema id {}", pipeline.schema_id);
    assert_eq!((said.code, said.out.trim()), (Some(0), unchanged.as_str()), "{said:?}");

    stub.set(&with_shift());
    let said = command(&pipeline, &["schema", "pull", "--dry-run"]).await?;
    assert!(
        said.code == Some(0) && said.out.contains("would be registered after version 1, is compatible"),
        "{said:?}"
    );
    assert_eq!(versions(&pipeline).await?, 1);
    let said = command(&pipeline, &["schema", "pull"]).await?;
    assert!(said.code == Some(0) && said.out.contains("registered, version 2 after 1, schema id "), "{said:?}");
    let said = command(&pipeline, &["schema", "pull"]).await?;
    assert!(said.code == Some(0) && said.out.contains("unchanged, version 2"), "{said:?}");
    let said = command(&pipeline, &["schema", "show"]).await?;
    let shown: serde_json::Value = serde_json::from_str(&said.out)?;
    assert_eq!(shown, serde_json::from_str::<serde_json::Value>(&with_shift())?);
    let said = command(&pipeline, &["schema", "show", "--id", &pipeline.schema_id.to_string()]).await?;
    assert!(said.code == Some(0) && !said.out.contains("shift"), "{said:?}");

    stub.set(&with_field(r#"{"name": "shift", "type": "string"}"#));
    let said = command(&pipeline, &["schema", "pull"]).await?;
    assert!(said.code == Some(1) && said.err.contains("not compatible with version 2"), "{said:?}");
    assert!(said.err.contains("shift"), "{said:?}");
    assert_eq!(versions(&pipeline).await?, 2);
    stub.set("<html>");
    let said = command(&pipeline, &["schema", "pull"]).await?;
    assert!(said.code == Some(1) && said.err.contains("holds no schema"), "{said:?}");

    stub.set(SCHEMA);
    let new = format!("{subject}-new");
    let said = command(&pipeline, &["schema", "pull", "--subject", &new]).await?;
    let first = format!("{new}: registered as the first version, version 1, schema id ");
    assert!(said.code == Some(0) && said.out.starts_with(&first), "{said:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_file_is_checked_by_our_rules_and_by_the_registry() -> Result<()> {
    let stub = Stub::start(SCHEMA).await?;
    let mut pipeline = pipeline("cxone-check", &stub).await?;
    // Nothing listens at the first address.
    let registry = pipeline.config.schema_registry.url.clone();
    pipeline.config.schema_registry.url = format!("http://127.0.0.1:{},{registry}", ports::free()?);
    let shift = |kind: &str| with_field(&format!(r#"{{"name": "shift", "type": {kind}}}"#));
    for (text, code, words) in [
        (with_shift(), 0, "compatible with version 1"),
        (shift(r#""int""#), 1, "not compatible with version 1"),
        (shift(r#""duration""#), 1, "field shift: "),
        (SCHEMA.replace("event_id", "id"), 1, "receiver.sources.cxone.key_field: field event_id"),
        ("{".to_owned(), 1, "not JSON: EOF while parsing an object at line 1 column 1"),
    ] {
        let file = pipeline.file("event.avsc");
        std::fs::write(&file, text)?;
        let said = command(&pipeline, &["schema", "check", &file.to_string_lossy()]).await?;
        assert!(said.code == Some(code) && format!("{}{}", said.out, said.err).contains(words), "{words}: {said:?}");
    }
    pipeline.config.schema_registry.url = registry;
    assert_eq!(versions(&pipeline).await?, 1);
    Ok(())
}

/// The type comes from another subject, through the references of the latest version or those that the command names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_file_is_checked_with_the_schemas_it_refers_to() -> Result<()> {
    let stub = Stub::start(SCHEMA).await?;
    let pipeline = pipeline("cxone-references", &stub).await?;
    let (registry, topic) = (&pipeline.config.schema_registry.url, &pipeline.config.kafka.topic);
    let address =
        json!({"type": "record", "name": "com.example.Address", "fields": [{"name": "street", "type": "string"}]});
    let (address_subject, subject) = (format!("{topic}-address"), format!("{topic}-person"));
    register(registry, &address_subject, &address.to_string()).await?;
    let person = |fields: &str| format!(r#"{{"type": "record", "name": "Person", "fields": [{fields}]}}"#);
    let home = r#"{"name": "home", "type": "com.example.Address"}"#;
    let file = pipeline.file("person.avsc");
    let check = async |fields: &str, arguments: &[&str]| {
        std::fs::write(&file, person(fields))?;
        let file = file.to_string_lossy();
        command(&pipeline, &[&["schema", "check", "--subject", &subject, &*file], arguments].concat()).await
    };
    let said = check(home, &[]).await?;
    assert!(said.code == Some(1) && said.err.contains("com.example.Address"), "{said:?}");
    let reference = format!("com.example.Address={address_subject}:1");
    let said = check(home, &["--reference", &reference]).await?;
    assert!(said.code == Some(0) && said.out.contains("it would be the first version of"), "{said:?}");
    let said = check(home, &["--reference", &format!("com.example.Address={address_subject}:9")]).await?;
    assert!(said.code == Some(1) && said.err.contains("its references cannot be found"), "{said:?}");

    let references = json!([{"name": "com.example.Address", "subject": address_subject, "version": 1}]);
    let body = json!({"schema": person(home), "references": references});
    http::json(http::Method::POST, &format!("{registry}/subjects/{subject}/versions"), &body).await?;
    let said = check(&format!(r#"{home}, {{"name": "age", "type": "int", "default": 0}}"#), &[]).await?;
    // The registry of this stack does not compare schemas with references; others do.
    assert!(said.code == Some(0) && said.out.contains("version 1 of"), "{said:?}");
    let said = check(&format!(r#"{home}, {{"name": "pet", "type": "com.example.Pet"}}"#), &[]).await?;
    assert!(said.code == Some(1) && said.err.contains("com.example.Pet"), "{said:?}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_secret_and_a_missing_section_have_their_exit_codes() -> Result<()> {
    let stub = Stub::start(SCHEMA).await?;
    let mut pipeline = pipeline("cxone-secret", &stub).await?;
    std::fs::write(pipeline.file("secret"), "another")?;
    let said = command(&pipeline, &["schema", "pull"]).await?;
    assert!(said.code == Some(1) && said.err.contains("Likely causes: cxone.client_id or"), "{said:?}");
    pipeline.config.cxone.schema_path = None;
    let said = command(&pipeline, &["schema", "pull"]).await?;
    assert!(said.code == Some(78) && said.err.contains("cxone.schema_path: is missing"), "{said:?}");
    Ok(())
}

#[tokio::test]
async fn a_receiver_fetches_a_new_schema_when_events_no_longer_fit() -> Result<()> {
    let stub = Stub::start(SCHEMA).await?;
    let mut pipeline = pipeline("cxone-drift", &stub).await?;
    pipeline.config.cxone.refresh = Some(Duration::from_secs(3_600));
    pipeline.config.schema_registry.refresh = Duration::from_secs(3_600);
    let receiver = pipeline.receiver().await?;
    let admin = receiver.admin_url();
    pulled(&admin, "unchanged", 1.0).await?;

    stub.set(&with_shift());
    let new = [vec![14], Events::unique().event(1).encode()].concat();
    pipeline.drift(&receiver, &new).await?;
    pulled(&admin, "registered", 1.0).await?;
    let registry = &pipeline.config.schema_registry.url;
    let id = register(registry, &pipeline.config.kafka.topic, &with_shift()).await?;
    assert!(uses_schema(&admin, id).await?);
    assert_eq!(versions(&pipeline).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_receiver_continues_when_cxone_returns_no_usable_schema() -> Result<()> {
    let stub = Stub::start(&with_field(r#"{"name": "shift", "type": "string"}"#)).await?;
    let mut pipeline = pipeline("cxone-refused", &stub).await?;
    pipeline.config.cxone.refresh = Some(Duration::from_secs(3_600));
    let receiver = pipeline.receiver().await?;
    pulled(&receiver.admin_url(), "incompatible", 1.0).await?;
    std::fs::write(pipeline.file("secret"), "another")?;
    let other = pipeline.receiver().await?;
    pulled(&other.admin_url(), "failed", 1.0).await?;
    for receiver in [&receiver, &other] {
        let answer = pipeline.post(receiver, &[AVRO], &Events::unique().event(0).encode()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(versions(&pipeline).await?, 1);
    Ok(())
}

/// Waits until this many pulls had this outcome.
async fn pulled(admin: &str, outcome: &str, times: f64) -> Result<()> {
    eventually(&format!("a pull is {outcome}"), || async {
        let sample = format!(r#"penstock_receiver_cxone_pulls_total{{outcome="{outcome}"}}"#);
        let count = metric(admin, &sample).await?;
        anyhow::ensure!(count == times, "{count}");
        Ok(())
    })
    .await
}
