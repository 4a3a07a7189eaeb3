//! Other valid encodings of the same values: blocks with any number of items, with and without their size.

use apache_avro::schema::{ResolvedSchema, Schema as AvroSchema};
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use proptest::prelude::*;

use super::generate::Tape;
use super::*;

/// Encodes a value. `sizes` says for each block how many items it has; an odd number also writes the block's size.
fn encode(
    value: &Value,
    schema: &AvroSchema,
    names: &ResolvedSchema<'_>,
    sizes: &mut impl Iterator<Item = u8>,
) -> Vec<u8> {
    match (value, schema) {
        (_, AvroSchema::Ref { name }) => encode(value, names.get_names()[name], names, sizes),
        (Value::Union(index, value), AvroSchema::Union(union)) => {
            let branch = &union.variants()[*index as usize];
            [long((*index).into()), encode(value, branch, names, sizes)].concat()
        }
        (Value::Record(values), AvroSchema::Record(record)) => {
            let fields = values.iter().zip(&record.fields);
            fields.flat_map(|((_, value), field)| encode(value, &field.schema, names, sizes)).collect()
        }
        (Value::Array(items), AvroSchema::Array(array)) => {
            let items: Vec<_> = items.iter().map(|item| encode(item, &array.items, names, sizes)).collect();
            blocks(&items, sizes)
        }
        (Value::Map(entries), AvroSchema::Map(map)) => {
            let mut entry = |(key, value): (&String, _)| {
                [counted(key.as_bytes()), encode(value, &map.types, names, sizes)].concat()
            };
            let entries: Vec<_> = entries.iter().map(&mut entry).collect();
            blocks(&entries, sizes)
        }
        _ => GenericDatumWriter::builder(schema).build().unwrap().write_value_to_vec(value.clone()).unwrap(),
    }
}

fn blocks(items: &[Vec<u8>], sizes: &mut impl Iterator<Item = u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or_default();
        let (block, after) = rest.split_at(rest.len().min(1 + usize::from(size / 2) % 4));
        rest = after;
        let (count, content) = (block.len() as i64, block.concat());
        if size % 2 == 1 {
            bytes.extend([long(-count), long(content.len() as i64)].concat());
        } else {
            bytes.extend(long(count));
        }
        bytes.extend(content);
    }
    bytes.push(0);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn the_split_into_blocks_does_not_change_the_value(
        tape in proptest::collection::vec(any::<u8>(), 0..900),
        sizes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut tape = Tape::new(&tape);
        let json = tape.root().to_string();
        let avro = AvroSchema::parse_str(&json).unwrap();
        let names = ResolvedSchema::new(&avro).unwrap();
        let value = tape.value(&avro, &names);
        let ours = schema(&json);
        let whole = encode(&value, &avro, &names, &mut std::iter::repeat(254));
        let cut = encode(&value, &avro, &names, &mut sizes.into_iter());
        prop_assert_eq!(written(&ours, &cut, LIMITS).unwrap(), written(&ours, &whole, LIMITS).unwrap());
    }
}
