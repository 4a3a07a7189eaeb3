//! The integration tests check that curl accepts the examples.

use config::load_from;

use super::*;

const CONFIG: &str = "
kafka: {brokers: 'inside:9092', topic: secret-topic}
receiver:
  listen: 10.1.2.3:8443
  sources:
    cxone: {path: /webhook/cxone/events, subject: secret-subject, auth: {type: bearer, tokens: [hush]}}
    other: {path: /other, subject: secret-subject, auth: {type: hmac, header: X-Signature, timestamp_header: X-Time, secrets: [hush]}}
    open: {path: /open, subject: secret-subject, auth: {type: none}}
";

#[test]
fn the_description_has_each_source_with_its_authentication() {
    let document = document(&load_from("p.yaml", CONFIG, &[]).unwrap());
    assert_eq!(document["openapi"], "3.1.0");
    let operation = |path: &str| document["paths"][path]["post"].clone();
    assert_eq!(operation("/webhook/cxone/events")["security"], json!([{"cxone-bearer": []}]));
    assert_eq!(operation("/other")["security"], json!([{"other-X-Signature": [], "other-X-Time": []}]));
    assert_eq!(operation("/open")["security"], json!([]));
    for path in ["/webhook/cxone/events", "/other", "/open"] {
        for names in operation(path)["security"].as_array().unwrap() {
            for name in names.as_object().unwrap().keys() {
                assert!(document["components"]["securitySchemes"][name].is_object(), "{name} is not described");
            }
        }
    }
}

#[test]
fn the_description_reveals_nothing_internal() {
    let text = document(&load_from("p.yaml", CONFIG, &[]).unwrap()).to_string();
    for word in ["secret-topic", "secret-subject", "hush", "inside", "10.1.2.3", "8443"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn every_reference_in_the_description_resolves() {
    let document = document(&load_from("p.yaml", CONFIG, &[]).unwrap());
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}
