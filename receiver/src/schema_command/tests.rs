use super::*;

/// Returns a config without a registry: these tests never reach it.
fn config() -> Config {
    Config::default()
}

async fn checked(text: &str, config: &Config, subject: Option<&str>) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let command = SchemaCommand::Check {
        file: file.path().to_owned(),
        subject: subject.map(str::to_owned),
        references: Vec::new(),
    };
    run(config, command).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_usable_schema_is_ok_without_a_registry() {
    let said = checked(r#"{"type": "record", "name": "a.E", "fields": []}"#, &config(), None).await.unwrap();
    assert!(said.contains("ok, a.E; not compared with a subject"), "{said}");
}

#[tokio::test]
async fn an_unusable_schema_is_refused_with_its_field() {
    let fields = r#"[{"name": "id", "type": "string"}, {"name": "at", "type": "timestamp"}]"#;
    let error = checked(&format!(r#"{{"type": "record", "name": "E", "fields": {fields}}}"#), &config(), None).await;
    let error = error.unwrap_err();
    assert!(error.contains("field at: "), "{error}");
    let nowhere = SchemaCommand::Check { file: "/nowhere".into(), subject: None, references: Vec::new() };
    let error = run(&config(), nowhere).await.unwrap_err();
    assert!(error.to_string().starts_with("/nowhere: cannot be read: "), "{error}");
}

#[tokio::test]
async fn a_pull_without_the_cxone_section_names_the_missing_key() {
    let command = SchemaCommand::Pull { subject: Some("s".to_owned()), dry_run: false };
    let error = run(&config(), command).await.unwrap_err().to_string();
    assert!(error.starts_with("cxone.tenant_url: is missing"), "{error}");
}

#[test]
fn json_is_printed_with_line_breaks() {
    assert_eq!(pretty(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
    assert_eq!(pretty("text"), "text");
}

#[test]
fn a_reference_needs_a_name_a_subject_and_a_version() {
    let reference: Reference = "com.example.Address=team:address=1-value:12".parse().unwrap();
    assert_eq!(reference.name, "com.example.Address");
    assert_eq!((reference.subject.as_str(), reference.version), ("team:address=1-value", 12));
    for wrong in ["", "a", "a=b", "a=b:", "a=b:x", "=b:1", "a=:1", "a=b:-1"] {
        assert!(wrong.parse::<Reference>().is_err(), "{wrong}");
    }
}
