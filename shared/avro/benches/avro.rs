//! Measures how many events per second are checked and converted to JSON, compared with apache-avro, which builds a
//! tree first.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has to stop")]

use std::collections::HashMap;
use std::hint::black_box;

use apache_avro::Schema as AvroSchema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use avro::{FieldRule, FieldRules, JsonRules, Limits, Schema, validate, write_members, write_members_and_find};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SCHEMA: &str = r#"{
    "type": "record",
    "name": "DataActionEvent",
    "namespace": "com.nice.cxone.events",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "action_type", "type": "string"},
        {"name": "user_id", "type": ["null", "string"], "default": null},
        {"name": "metadata", "type": {"type": "map", "values": "string"}}
    ]
}"#;

const LIMITS: Limits = Limits { max_depth: 64, max_items: 100_000, max_values: 1_600_000 };

fn datum(schema: &AvroSchema) -> Vec<u8> {
    let text = |text: &str| Value::String(text.to_owned());
    let metadata = HashMap::from([
        ("tenant".to_owned(), text("acme-contact-center")),
        ("channel".to_owned(), text("voice")),
        ("region".to_owned(), text("eu-central-1")),
        ("agent".to_owned(), text("a-004217")),
        ("queue".to_owned(), text("billing")),
    ]);
    let event = Value::Record(vec![
        ("event_id".to_owned(), text("0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13")),
        ("timestamp".to_owned(), Value::TimestampMillis(1_767_323_045_678)),
        ("action_type".to_owned(), text("contact.state.changed")),
        ("user_id".to_owned(), Value::Union(1, Box::new(text("user-000000004217")))),
        ("metadata".to_owned(), Value::Map(metadata)),
    ]);
    GenericDatumWriter::builder(schema).build().unwrap().write_value_to_vec(event).unwrap()
}

fn tree_to_json(reader: &GenericDatumReader<'_>, mut datum: &[u8], out: &mut Vec<u8>) -> usize {
    out.clear();
    let value = reader.read_value(&mut datum).unwrap();
    let json = serde_json::Value::try_from(value).unwrap();
    serde_json::to_writer(&mut *out, &json).unwrap();
    black_box(out.len())
}

fn avro(criterion: &mut Criterion) {
    let theirs = AvroSchema::parse_str(SCHEMA).unwrap();
    let ours = Schema::parse(SCHEMA).unwrap();
    let datum = datum(&theirs);
    let key = ours.field("event_id").unwrap();
    let time = ours.time_field("timestamp").unwrap();
    let mut out = Vec::with_capacity(1 << 10);

    let mut group = criterion.benchmark_group(format!("event of {} bytes", datum.len()));
    group.throughput(Throughput::Elements(1));
    group.bench_function("validate, find the key", |bencher| {
        bencher.iter(|| black_box(validate(&ours, black_box(&datum), LIMITS, Some(&key)).is_ok()));
    });
    group.bench_function("write_members", |bencher| {
        bencher.iter(|| {
            out.clear();
            write_members(&ours, black_box(&datum), LIMITS, &mut out).unwrap();
            black_box(out.len())
        });
    });
    group.bench_function("write_members, find the time", |bencher| {
        bencher.iter(|| {
            out.clear();
            write_members_and_find(&ours, black_box(&datum), LIMITS, JsonRules::default(), Some(&time), &mut out)
                .unwrap();
            black_box(out.len())
        });
    });
    for (what, rule) in [("mask", FieldRule::Mask), ("hash", FieldRule::Hash), ("drop", FieldRule::Drop)] {
        let rules = FieldRules::new(&[("user_id".to_owned(), rule)].into(), Some(b"0123456789abcdef")).unwrap();
        let ruled = ours.with_rules(&rules).unwrap().schema;
        group.bench_function(format!("write_members, {what} a field"), |bencher| {
            bencher.iter(|| {
                out.clear();
                write_members(&ruled, black_box(&datum), LIMITS, &mut out).unwrap();
                black_box(out.len())
            });
        });
    }
    group.bench_function("apache-avro: from_avro_datum, Value, JSON", |bencher| {
        bencher.iter(|| {
            let reader = GenericDatumReader::builder(&theirs).build().unwrap();
            tree_to_json(&reader, black_box(&datum), &mut out)
        });
    });
    group.bench_function("apache-avro: the same with its reader made once", |bencher| {
        let reader = GenericDatumReader::builder(&theirs).build().unwrap();
        bencher.iter(|| tree_to_json(&reader, black_box(&datum), &mut out));
    });
    group.finish();
}

criterion_group!(benches, avro);
criterion_main!(benches);
