use avro::FieldRule;
use service::metrics::Registry;

use super::*;

const LIMITS: Limits = Limits { max_depth: 8, max_items: 8, max_values: 128 };

fn fields(rules: &[(&str, FieldRule)]) -> (Fields, Metrics) {
    let mut config = Config::default();
    config.kafka.topic = "t".to_owned();
    let rules = rules.iter().map(|(path, rule)| ((*path).to_owned(), rule.clone()));
    config.elasticsearch.documents.fields = Some(rules.collect());
    let metrics = Metrics::new(&Registry::new()).unwrap();
    (Fields::new(&config, &metrics).unwrap(), metrics)
}

fn record(names: &[&str]) -> Arc<Schema> {
    let fields: Vec<String> = names.iter().map(|name| format!(r#"{{"name":"{name}","type":"string"}}"#)).collect();
    Arc::new(Schema::parse(&format!(r#"{{"type":"record","name":"E","fields":[{}]}}"#, fields.join(","))).unwrap())
}

#[test]
fn a_rule_is_unmet_until_some_schema_has_its_field() {
    let (mut fields, metrics) = fields(&[("a", FieldRule::Mask), ("b", FieldRule::Drop), ("c", FieldRule::Drop)]);
    let unmet = || metrics.unmet_field_rules.with_label_values(&["t"]).get();
    for (names, expected) in [(&["a", "x"][..], 2), (&["b"], 1), (&["x"], 1)] {
        fields.apply(SchemaId(1), record(names)).unwrap();
        assert_eq!(unmet(), expected, "{names:?}");
    }
}

#[test]
fn without_rules_the_schema_is_unchanged() {
    let (mut fields, _) = fields(&[]);
    let schema = record(&["a"]);
    assert!(Arc::ptr_eq(&fields.apply(SchemaId(1), Arc::clone(&schema)).unwrap(), &schema));
}

#[test]
fn a_key_that_is_a_hidden_value_is_reported_once() {
    let (mut fields, _) = fields(&[("a", FieldRule::Mask)]);
    let schema = fields.apply(SchemaId(1), record(&["a", "b"])).unwrap();
    let datum = b"\x06abc\x06xyz";
    for (key, still_watches) in [(None, true), (Some(&b"xyz"[..]), true), (Some(b""), true), (Some(b"abc"), false)] {
        fields.watch_key(&schema, datum, LIMITS, key);
        assert_eq!(fields.watches_keys, still_watches, "{key:?}");
    }
}

#[test]
fn a_missing_secret_is_reported_with_its_key() {
    let mut config = Config::default();
    config.elasticsearch.documents.fields = Some([("a".to_owned(), FieldRule::Hash)].into());
    let error = Fields::new(&config, &Metrics::new(&Registry::new()).unwrap()).unwrap_err().to_string();
    assert!(error.contains("elasticsearch.documents.hash_secret: is missing"), "{error}");
}
