use avro::{Schema, Uuids};
use proptest::prelude::*;
use registry::wire::SchemaId;

use super::*;

const LIMITS: Limits = Limits { max_depth: 16, max_items: 100, max_values: 1_600 };

fn writer(id: u32, fields: &str) -> Arc<Writer> {
    let schema = Schema::parse(&format!(r#"{{"type":"record","name":"E","fields":[{fields}]}}"#)).unwrap();
    Arc::new(Writer { id: SchemaId(id), schema: Arc::new(schema), key: None, uuids: Uuids::Any })
}

const ID: &str = r#"{"name":"id","type":"string"}"#;
const NOTE: &str = r#"{"name":"note","type":["null","string"],"default":null}"#;

fn chosen(datum: &[u8], writers: &[Arc<Writer>]) -> Option<u32> {
    choose(datum, writers, LIMITS).unwrap().map(|writer| writer.id.0)
}

#[test]
fn the_version_that_fits_to_the_last_byte_is_chosen() {
    let writers = [writer(2, &format!("{ID},{NOTE}")), writer(1, ID)];
    assert_eq!(chosen(b"\x02a", &writers), Some(1));
    assert_eq!(chosen(b"\x02a\0", &writers), Some(2));
    assert_eq!(chosen(b"\x02a\x02", &writers), None);
    assert_eq!(chosen(b"\x02a\0\0", &writers), None);
    assert_eq!(chosen(b"", &writers), None);
}

#[test]
fn among_versions_with_the_same_meaning_the_newest_is_chosen() {
    let documented = r#"{"name":"id","type":"string","doc":"the id"}"#;
    assert_eq!(chosen(b"\x02a", &[writer(3, documented), writer(1, ID)]), Some(3));
}

#[test]
fn versions_with_different_meanings_are_refused_as_ambiguous() {
    let (number, decimal) = (r#"{"name":"n","type":"bytes"}"#, |scale| {
        format!(r#"{{"name":"n","type":{{"type":"bytes","logicalType":"decimal","precision":9,"scale":{scale}}}}}"#)
    });
    for (newer, older) in [
        (r#"{"name":"name","type":"string"}"#.to_owned(), ID.to_owned()),
        (decimal(4), decimal(2)),
        (decimal(2), number.to_owned()),
    ] {
        let refused = choose(b"\x02a", &[writer(2, &newer), writer(1, &older)], LIMITS).unwrap_err();
        assert!(
            matches!(&refused, Rejection::AmbiguousVersion(ids) if *ids == [SchemaId(2), SchemaId(1)]),
            "{refused:?}"
        );
    }
}

proptest! {
    /// For any input, a chosen version fits the datum.
    #[test]
    fn a_chosen_version_fits(datum in proptest::collection::vec(any::<u8>(), 0..40)) {
        let writers = [writer(3, &format!("{ID},{NOTE},{{\"name\":\"n\",\"type\":\"long\"}}")), writer(2, &format!("{ID},{NOTE}")), writer(1, ID)];
        if let Ok(Some(writer)) = choose(&datum, &writers, LIMITS) {
            prop_assert!(fits(&datum, &writer, LIMITS).is_ok());
        }
    }
}
