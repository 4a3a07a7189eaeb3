use std::sync::Arc;

use apache_avro::types::{Record, Value};
use apache_avro::{Codec, DeflateSettings, Schema as AvroSchema, Writer as FileWriter};
use avro::Schema;
use registry::wire::SchemaId;

use super::*;
use crate::body_budget::MemoryBudget;

mod blocks;
mod foreign;

const SCHEMA: &str = r#"{"type": "record", "name": "Event", "fields": [
    {"name": "event_id", "type": ["null", "string"]}, {"name": "agent", "type": "string"}]}"#;

const LIMITS: BatchLimits =
    BatchLimits { event: Limits { max_depth: 8, max_items: 8, max_values: 128 }, events: 10_000, bytes: 1 << 20 };

fn writer() -> Writer {
    let schema = Arc::new(Schema::parse(SCHEMA).unwrap());
    let key = Some(schema.field("event_id").unwrap());
    Writer { id: SchemaId(7), schema, key, uuids: avro::Uuids::Any }
}

fn datum(number: usize) -> Vec<u8> {
    let id = format!("e{number}");
    let id = if number % 10 == 3 { vec![0] } else { [vec![2, id.len() as u8 * 2], id.into_bytes()].concat() };
    [id, b"\x06amy".to_vec()].concat()
}

/// Returns a file that apache-avro writes, in blocks of a hundred events.
fn file(codec: Codec, count: usize) -> Vec<u8> {
    let schema = AvroSchema::parse_str(SCHEMA).unwrap();
    let mut file = FileWriter::with_codec(&schema, Vec::new(), codec).unwrap();
    for number in 0..count {
        let mut record = Record::new(&schema).unwrap();
        let id = Value::String(format!("e{number}"));
        let id = if number % 10 == 3 { Value::Union(0, Box::new(Value::Null)) } else { Value::Union(1, Box::new(id)) };
        record.put("event_id", id);
        record.put("agent", "amy");
        file.append_value(record).unwrap();
        if number % 100 == 99 {
            file.flush().unwrap();
        }
    }
    file.into_inner().unwrap()
}

/// Builds a file by hand, from blocks of raw bytes.
fn file_of(schema: &str, codec: &str, blocks: &[(u8, &[u8])]) -> Vec<u8> {
    let counted = |bytes: &[u8]| {
        let mut len = Vec::new();
        let mut raw = bytes.len() * 2;
        while raw >= 0x80 {
            len.push(raw as u8 | 0x80);
            raw >>= 7;
        }
        len.push(raw as u8);
        [len, bytes.to_vec()].concat()
    };
    let mut file = b"Obj\x01\x04".to_vec();
    for (key, value) in [("avro.schema", schema), ("avro.codec", codec)] {
        file.extend(counted(key.as_bytes()));
        file.extend(counted(value.as_bytes()));
    }
    file.push(0);
    file.extend(b"sixteen bytes ok");
    for (count, data) in blocks {
        file.push(count * 2);
        file.extend(counted(data));
        file.extend(b"sixteen bytes ok");
    }
    file
}

fn budget() -> BodyBudget {
    MemoryBudget::new(usize::MAX).hold()
}

fn read(file: &[u8], limits: &BatchLimits) -> Result<Batch, BatchError> {
    validate_container(Container::open(file).map_err(BatchError::Container)?, &writer(), limits, &mut budget())
}

fn all_codecs() -> [Codec; 6] {
    [
        Codec::Null,
        Codec::Deflate(DeflateSettings::default()),
        Codec::Snappy,
        Codec::Zstandard(apache_avro::ZstandardSettings::default()),
        Codec::Bzip2(apache_avro::Bzip2Settings::default()),
        Codec::Xz(apache_avro::XzSettings::default()),
    ]
}

#[test]
fn each_datum_of_a_file_is_an_unchanged_event_for_every_codec() {
    for codec in all_codecs() {
        let batch = read(&file(codec, 1_000), &LIMITS).unwrap_or_else(|error| panic!("{codec:?}: {error:?}"));
        assert_eq!(batch.events().len(), 1_000);
        for (number, event) in batch.events().enumerate() {
            assert_eq!(event.value(), [wire::frame(SchemaId(7)).to_vec(), datum(number)].concat(), "{codec:?}");
            let key = format!("e{number}");
            assert_eq!(event.key(), (number % 10 != 3).then_some(key.as_str()), "{codec:?}");
        }
    }
}

#[test]
fn a_file_without_events_is_valid() {
    assert_eq!(read(&file(Codec::Null, 0), &LIMITS).unwrap().events().len(), 0);
    for codec in ["null", "", "deflate", "snappy", "zstandard", "bzip2", "xz"] {
        let empty = file_of(SCHEMA, codec, &[(0, &b""[..]); 200]);
        assert_eq!(read(&empty, &LIMITS).unwrap().events().len(), 0, "{codec}");
    }
}

#[test]
fn one_invalid_datum_is_named_and_refuses_the_file() {
    let good: Vec<u8> = (0..60).flat_map(datum).collect();
    let bad = [datum(60), b"\x02\x04e9\x06\xff\xff\xff".to_vec(), datum(62)].concat();
    let error = read(&file_of(SCHEMA, "null", &[(60, &good), (3, &bad)]), &LIMITS).unwrap_err();
    let BatchError::Event { index, invalid } = error else { panic!("{error:?}") };
    assert_eq!((index, invalid.error.code(), &*invalid.error.path, invalid.error.offset), (61, "not_utf8", "agent", 5));
    assert_eq!(invalid.key.as_deref(), Some("e9"));
}

#[test]
fn a_block_longer_or_shorter_than_its_datums_is_refused() {
    let long = [datum(0), b"!".to_vec()].concat();
    let error = read(&file_of(SCHEMA, "null", &[(1, &long)]), &LIMITS).unwrap_err();
    assert!(matches!(error, BatchError::BlockLength(_)), "{error:?}");
    let error = read(&file_of(SCHEMA, "null", &[(2, &datum(0))]), &LIMITS).unwrap_err();
    assert!(matches!(error, BatchError::Event { index: 1, .. }), "{error:?}");
}

#[test]
fn limits_apply_to_all_blocks_together() {
    for codec in all_codecs() {
        let (file, len) = (file(codec, 300), (0..300).map(|number| datum(number).len()).sum::<usize>());
        assert!(read(&file, &BatchLimits { events: 300, bytes: len, ..LIMITS }).is_ok());
        let error = read(&file, &BatchLimits { events: 299, ..LIMITS }).unwrap_err();
        assert!(matches!(error, BatchError::TooManyEvents(299)), "{error:?}");
        let error = read(&file, &BatchLimits { bytes: len - 1, ..LIMITS }).unwrap_err();
        assert!(matches!(error, BatchError::TooLarge(limit) if limit == len - 1), "{error:?}");
    }
}

#[test]
fn datums_without_bytes_are_counted() {
    let writer = Writer {
        id: SchemaId(7),
        schema: Arc::new(Schema::parse("\"null\"").unwrap()),
        key: None,
        uuids: avro::Uuids::Any,
    };
    let mut file = file_of("\"null\"", "null", &[]);
    // 900,000,000 datums in a block of no bytes.
    file.extend([0x80, 0xd2, 0xa5, 0xda, 0x06, 0x00]);
    file.extend(b"sixteen bytes ok");
    let error = validate_container(Container::open(&file).unwrap(), &writer, &LIMITS, &mut budget()).unwrap_err();
    assert!(matches!(error, BatchError::TooManyEvents(10_000)), "{error:?}");
}

#[test]
fn an_unknown_codec_is_named_and_a_damaged_block_located() {
    let error = read(&file_of(SCHEMA, "lzo", &[(1, &datum(0))]), &LIMITS).unwrap_err();
    assert!(matches!(&error, BatchError::Codec(name) if name == "lzo"), "{error:?}");
    for name in ["deflate", "snappy", "zstandard", "bzip2", "xz"] {
        let file = file_of(SCHEMA, name, &[(1, b"not compressed")]);
        let begin = file.len() - 16 - 14;
        let error = read(&file, &LIMITS).unwrap_err();
        assert!(matches!(error, BatchError::Block(offset, _) if offset == begin), "{name}: {error:?}");
    }
}

#[test]
fn a_file_cut_off_within_a_block_is_refused() {
    let whole = file(Codec::Null, 250);
    let ends: Vec<usize> = [0, 100, 200, 250].map(|count| file(Codec::Null, count).len()).to_vec();
    for len in 0..whole.len() {
        let result = read(&whole[..len], &LIMITS);
        assert_eq!(result.is_ok(), ends.contains(&len), "cut off at {len} of {}", whole.len());
    }
}

/// One event of a few bytes may hold the maximum number of values, but not every event of a file.
#[test]
fn a_file_of_tiny_events_with_many_values_is_refused() {
    let nulls = r#"{"type":"array","items":"null"}"#;
    let schema = Arc::new(Schema::parse(nulls).unwrap());
    let writer = Writer { id: SchemaId(7), schema, key: None, uuids: avro::Uuids::Any };
    let event = Limits { max_depth: 8, max_items: 1_000, max_values: 1_000 };
    let limits = BatchLimits { event, ..LIMITS };
    // Each event holds a thousand nulls.
    let datum = [0xd0, 0x0f, 0];
    let read = |count: usize| {
        let file = file_of(nulls, "null", &vec![(1, &datum[..]); count]);
        validate_container(Container::open(&file).unwrap(), &writer, &limits, &mut budget())
    };
    // The limits of one event cover two of these; each byte allows only 20 values more.
    assert_eq!(read(2).unwrap().events().len(), 2);
    assert!(matches!(read(3), Err(BatchError::TooManyValues)));
}

#[test]
fn a_wrong_sync_marker_is_refused() {
    let mut damaged = file(Codec::Null, 10);
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let error = read(&damaged, &LIMITS).unwrap_err();
    assert!(matches!(error, BatchError::Container(_)), "{error:?}");
}

/// The files in `tests/data/avro/codecs` come from other writers and hold the same hundred records. Python's deflate
/// leaves three bytes of a checksum after each block.
#[test]
fn files_of_fastavro_and_apache_python_are_read_for_every_codec() {
    const FILES: [(&str, &[u8]); 11] = [
        ("fastavro null", include_bytes!("../../../../../tests/data/avro/codecs/fastavro-null.avro")),
        ("fastavro deflate", include_bytes!("../../../../../tests/data/avro/codecs/fastavro-deflate.avro")),
        ("fastavro snappy", include_bytes!("../../../../../tests/data/avro/codecs/fastavro-snappy.avro")),
        ("fastavro bzip2", include_bytes!("../../../../../tests/data/avro/codecs/fastavro-bzip2.avro")),
        ("fastavro xz", include_bytes!("../../../../../tests/data/avro/codecs/fastavro-xz.avro")),
        ("fastavro zstandard", include_bytes!("../../../../../tests/data/avro/codecs/fastavro-zstandard.avro")),
        ("python null", include_bytes!("../../../../../tests/data/avro/codecs/python-null.avro")),
        ("python deflate", include_bytes!("../../../../../tests/data/avro/codecs/python-deflate.avro")),
        ("python snappy", include_bytes!("../../../../../tests/data/avro/codecs/python-snappy.avro")),
        ("python bzip2", include_bytes!("../../../../../tests/data/avro/codecs/python-bzip2.avro")),
        ("python zstandard", include_bytes!("../../../../../tests/data/avro/codecs/python-zstandard.avro")),
    ];
    let mut expected: Option<Vec<Vec<u8>>> = None;
    for (name, file) in FILES {
        let container = Container::open(file).unwrap();
        let schema = Arc::new(Schema::parse(container.schema()).unwrap());
        let writer =
            Writer { id: SchemaId(7), key: Some(schema.field("station").unwrap()), schema, uuids: avro::Uuids::Any };
        let batch = validate_container(container, &writer, &LIMITS, &mut budget())
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let values: Vec<Vec<u8>> = batch.events().map(|event| event.value().to_vec()).collect();
        assert_eq!(values.len(), 100, "{name}");
        assert_eq!(*expected.get_or_insert_with(|| values.clone()), values, "{name}");
    }
}

#[test]
fn the_budget_counts_all_memory_of_a_file_and_then_its_events() {
    let file = file(Codec::Deflate(DeflateSettings::default()), 5_000);
    let container = || Container::open(&file).unwrap();
    let all = MemoryBudget::new(64 << 20);
    let mut budget = all.hold();
    let batch = validate_container(container(), &writer(), &LIMITS, &mut budget).unwrap();
    let taken = batch.values.capacity() + batch.keys.capacity() + batch.ends.capacity() * size_of::<End>();
    assert_eq!((batch.events().len(), all.bytes()), (5_000, taken));
    for room in [0, 10_000, taken / 2, taken] {
        let all = MemoryBudget::new(room);
        let mut budget = all.hold();
        let none = validate_container(container(), &writer(), &LIMITS, &mut budget);
        assert!(matches!(none, Err(BatchError::Budget(BudgetExceeded::Never(_)))), "{room}: {none:?}");
        assert_eq!(all.bytes(), 0, "{room}: what is freed no longer counts");
    }
}
