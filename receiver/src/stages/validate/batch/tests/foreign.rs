//! Files of the Avro project's own tests (apache/avro, `share/test/data`).

use registry::wire::FRAME_LEN;

use super::*;

/// Returns the documents of the events in `file`, sorted.
fn documents(file: &[u8]) -> Vec<String> {
    let container = Container::open(file).unwrap();
    let schema = Arc::new(Schema::parse(container.schema()).unwrap());
    let writer = Writer { id: SchemaId(7), key: None, schema: Arc::clone(&schema), uuids: avro::Uuids::Any };
    let batch = validate_container(container, &writer, &LIMITS, &mut budget()).unwrap();
    let document = |value: &[u8]| {
        let mut members = Vec::new();
        avro::write_members(&schema, &value[FRAME_LEN..], LIMITS.event, &mut members).unwrap();
        format!("{{{}}}", String::from_utf8(members).unwrap())
    };
    let mut documents: Vec<String> = batch.events().map(|event| document(event.value())).collect();
    documents.sort_unstable();
    documents
}

#[test]
fn files_of_the_avro_project_are_read_for_each_codec() {
    const FILES: [(&str, &[u8]); 5] = [
        ("null", include_bytes!("../../../../../../tests/data/avro/weather.avro")),
        ("deflate", include_bytes!("../../../../../../tests/data/avro/weather-deflate.avro")),
        ("snappy", include_bytes!("../../../../../../tests/data/avro/weather-snappy.avro")),
        ("zstandard", include_bytes!("../../../../../../tests/data/avro/weather-zstd.avro")),
        // In several blocks, sorted by other fields.
        ("deflate, sorted", include_bytes!("../../../../../../tests/data/avro/weather-sorted.avro")),
    ];
    let mut expected: Vec<&str> = include_str!("../../../../../../tests/data/avro/weather.json").lines().collect();
    expected.sort_unstable();
    for (codec, file) in FILES {
        assert_eq!(documents(file), expected, "{codec}");
    }
}

/// `schemas/simple`, `schemas/withUnion` and `syncInMeta.avro`, whose header holds its sync marker as metadata too.
#[test]
fn files_with_unions_and_odd_metadata_are_read() {
    let simple = documents(include_bytes!("../../../../../../tests/data/avro/simple.avro"));
    assert_eq!(simple, [r#"{"text":"bonjour"}"#, r#"{"text":"guten tag"}"#, r#"{"text":"hello"}"#]);
    let union = documents(include_bytes!("../../../../../../tests/data/avro/withUnion.avro"));
    assert_eq!(
        union,
        [
            r#"{"data1":"textValue","data2":null}"#,
            r#"{"data1":123,"data2":{"d1":false}}"#,
            r#"{"data1":3,"data2":{"d1":"text value"}}"#,
        ]
    );
    let odd = documents(include_bytes!("../../../../../../tests/data/avro/syncInMeta.avro"));
    assert_eq!(odd.len(), 6_001);
    assert_eq!(odd[0], r#"{"ID":1,"First":"Dante","Last":"Hicks","Phone":"(0)","Age":32}"#);
}

/// `test.avro12`: the format of files before Avro 1.3.
#[test]
fn a_file_of_the_first_format_is_refused() {
    let error = Container::open(include_bytes!("../../../../../../tests/data/avro/test.avro12")).unwrap_err();
    assert_eq!((error.kind, error.offset), (avro::ContainerErrorKind::Magic, 0));
}
