//! Several subjects of one source, of which the registry's node may lack one.

use super::*;

const SINGLE_OBJECT: (&str, &str) = ("content-type", "application/vnd.apache.avro+single-object");

fn single_object(schema: &str) -> Vec<u8> {
    let fingerprint = avro::Schema::parse(schema).unwrap().fingerprint();
    [b"\xc3\x01".as_slice(), &fingerprint.to_le_bytes(), DATUM].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_that_may_be_late_does_not_hide_another() {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    // The registry lists no versions of this one.
    let source = config.receiver.sources.get_mut("loose").unwrap();
    source.accept_subjects = vec!["events-value".to_owned()];
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    let answer = receiver.send(post("/loose", &[SINGLE_OBJECT], single_object(SCHEMA))).await;
    assert_eq!((answer.status, answer.body), (200, json!({"accepted": 1})));
    let answer = receiver.send(post("/loose", &[SINGLE_OBJECT], single_object(r#""long""#))).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("schema-pending")), "it may come");
}
