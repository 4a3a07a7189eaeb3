//! What the config commands print.

use std::fs;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: ConfigCommand,
}

const GOOD: &str = "\
kafka:
  options: {sasl.password: hunter2hunter2}
schema_registry: {url: 'http://me:hunter2@registry:8081'}
receiver:
  sources:
    cxone:
      path: /webhook
      subject: s
      auth: {type: bearer, tokens: [hunter2hunter2hunter2]}
";

/// Returns what `arguments` prints for a file with `text`.
fn run(text: &str, part: Part, arguments: &[&str]) -> Result<String, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("penstock.yaml");
    fs::write(&file, text).unwrap();
    let config = ["penstock", "--config", file.to_str().unwrap()];
    let parsed = Arguments::parse_from(config.iter().chain(arguments));
    output(part, &parsed.common, parsed.command)
}

#[test]
fn check_says_ok_and_which_file_was_read() {
    let output = run(GOOD, Part::Receiver, &["check"]).unwrap();
    assert!(output.starts_with("ok: "), "{output}");
    assert!(output.contains("penstock.yaml"), "{output}");
}

#[test]
fn check_says_all_problems_each_on_a_line_with_the_file() {
    let text = "receiver: {request_timeout: 0s, shutdown_timeout: 0s}";
    let error = run(text, Part::Receiver, &["check"]).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(lines.iter().all(|line| line.contains("penstock.yaml: receiver.")), "{error}");
}

#[test]
fn check_judges_the_sections_of_the_binary_and_with_all_those_of_the_other_too() {
    let text = format!("{GOOD}indexer: {{group_id: ''}}\n");
    run(&text, Part::Receiver, &["check"]).unwrap();
    let error = run(&text, Part::Receiver, &["check", "--all"]).unwrap_err();
    assert!(error.to_string().contains("indexer.group_id"), "{error}");
    let error = run(&text, Part::Indexer, &["check"]).unwrap_err();
    assert!(error.to_string().contains("indexer.group_id"), "{error}");
}

#[test]
fn show_prints_defaults_too_and_no_secret() {
    let output = run(GOOD, Part::Receiver, &["show"]).unwrap();
    assert!(!output.contains("hunter2"), "{output}");
    assert!(output.contains("request_timeout: 10s"), "{output}");
    assert!(!output.contains("elasticsearch"), "{output}");
    assert!(run(GOOD, Part::Receiver, &["show", "--all"]).unwrap().contains("elasticsearch"));
}

#[test]
fn what_show_prints_is_a_config_with_the_same_values() {
    let output = run(GOOD, Part::All, &["show"]).unwrap();
    let again = crate::load_from("shown", &output, &[]).unwrap();
    assert_eq!(run(&output, Part::All, &["show"]).unwrap(), output);
    assert_eq!(again.receiver.sources["cxone"].path, "/webhook");
}

#[test]
fn show_shows_a_config_with_problems_too() {
    let output = run("indexer: {group_id: ''}", Part::Indexer, &["show"]).unwrap();
    assert!(output.contains("group_id"), "{output}");
}

#[test]
fn a_missing_file_is_named_and_how_to_name_another() {
    let parsed = Arguments::parse_from(["penstock", "--config", "/nowhere/penstock.yaml", "check"]);
    let error = output(Part::All, &parsed.common, parsed.command).unwrap_err().to_string();
    assert!(error.contains("/nowhere/penstock.yaml"), "{error}");
    assert!(error.contains("--config FILE"), "{error}");
    assert!(error.contains("PENSTOCK_CONFIG"), "{error}");
}
