//! The output of the config commands.

use std::fs;

use clap::Parser;

use super::*;
use crate::sample::Config;

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

/// Returns what the command `arguments` prints for a file with `text`.
fn run(text: &str, arguments: &[&str]) -> Result<String, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("penstock.yaml");
    fs::write(&file, text).unwrap();
    let config = ["penstock", "--config", file.to_str().unwrap()];
    let parsed = Arguments::parse_from(config.iter().chain(arguments));
    output::<Config>(&parsed.common, parsed.command)
}

#[test]
fn check_prints_ok_and_the_file_that_was_read() {
    let output = run(GOOD, &["check"]).unwrap();
    assert!(output.starts_with("ok: "), "{output}");
    assert!(output.contains("penstock.yaml"), "{output}");
}

#[test]
fn check_prints_each_problem_on_a_line_with_the_file() {
    let text = "kafka: {timeout: 0s, topic: ''}\nschema_registry: {timeout: 0s}";
    let error = run(text, &["check"]).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(lines[0].contains("penstock.yaml: kafka.") && lines[2].contains("penstock.yaml: schema_"), "{error}");
}

#[test]
fn check_names_the_sections_left_to_the_other_binary() {
    let text = format!("ilm_config_path: [no, path]\n{GOOD}cxone: {{timeout: 0s}}\n");
    let output = run(&text, &["check"]).unwrap();
    assert!(output.ends_with("without ilm_config_path, cxone, which penstock-other reads\n"), "{output}");
    assert!(!run(GOOD, &["check"]).unwrap().contains("without"));
}

#[test]
fn show_prints_defaults_and_hides_secrets() {
    let output = run(&format!("{GOOD}cxone: {{timeout: 0s}}\n"), &["show"]).unwrap();
    assert!(!output.contains("hunter2"), "{output}");
    assert!(output.contains("timeout: 10s"), "{output}");
    assert!(!output.contains("cxone:\n  timeout"), "{output}");
}

#[test]
fn the_output_of_show_loads_as_the_same_config() {
    let output = run(GOOD, &["show"]).unwrap();
    let again: Config = crate::load_from("shown", &output, &[]).unwrap();
    assert_eq!(run(&output, &["show"]).unwrap(), output);
    assert_eq!(again.receiver.sources["cxone"].path, "/webhook");
}

#[test]
fn show_prints_an_invalid_config() {
    let output = run("kafka: {timeout: 0s}", &["show"]).unwrap();
    assert!(output.contains("timeout: 0s"), "{output}");
}

#[test]
fn the_error_for_a_missing_file_says_how_to_name_another() {
    let parsed = Arguments::parse_from(["penstock", "--config", "/nowhere/penstock.yaml", "check"]);
    let error = output::<Config>(&parsed.common, parsed.command).unwrap_err().to_string();
    assert!(error.contains("/nowhere/penstock.yaml"), "{error}");
    assert!(error.contains("--config FILE"), "{error}");
    assert!(error.contains("PENSTOCK_CONFIG"), "{error}");
}
