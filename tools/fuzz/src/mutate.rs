//! Changes inputs: inside, with new wrapping, and sometimes outside too.

use rand::RngExt;
use rand::rngs::StdRng;

use super::{Input, seeds};

/// Numbers to insert as lengths, counts and indices, in Avro's encoding.
const VARINTS: [&[u8]; 14] = [
    &[0],
    &[1],
    &[2],
    &[0x7f],
    &[0x80, 0x01],
    &[0xff, 0xff, 0x7f],
    &[0x80, 0xd2, 0xa5, 0xda, 0x06],
    &[0xfe, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x80, 0x00],
];

/// The longest body that repetition may produce.
const LONGEST: usize = 512 * 1024;

/// Returns a new input made from the seeds.
pub(super) fn mutated(random: &mut StdRng, inputs: &[Input]) -> Input {
    let seed = &inputs[random.random_range(0..inputs.len())];
    if random.random_ratio(1, 3) {
        // Changes only the outside: heads, checksums, lengths of blocks.
        let mut input = seed.clone();
        change(random, &mut input.body, inputs);
        maybe_relabel(random, &mut input);
        return input;
    }
    wrapped(random, inputs).unwrap_or_else(|_| seed.clone())
}

/// Returns a changed datum, wrapped in a form and an encoding.
fn wrapped(random: &mut StdRng, inputs: &[Input]) -> anyhow::Result<Input> {
    let datums = seeds::datums();
    let schema: u8 = random.random_range(0..5);
    let mut datum = datums[usize::from(schema)].clone();
    for _ in 0..random.random_range(0..4) {
        change(random, &mut datum, inputs);
    }
    let content_type: u8 = random.random_range(0..4);
    let mut body = match content_type {
        0 => datum,
        1 => seeds::confluent(&datum),
        2 => seeds::single_object(&datum),
        _ => {
            let mut all = vec![datums[usize::from(schema)].clone(); random.random_range(0..20)];
            all.insert(random.random_range(0..=all.len()), datum);
            match random.random_ratio(1, 3) {
                true => seeds::container_of(&changed_schema(random, schema), seeds::codec(random), &all)?,
                false => seeds::container(schema, seeds::codec(random), &all)?,
            }
        }
    };
    if random.random_ratio(1, 5) {
        change(random, &mut body, inputs);
    }
    let content_encoding = if random.random_ratio(1, 2) { 0 } else { random.random_range(1..4) };
    let mut body = seeds::encoded(content_encoding, &body)?;
    if random.random_ratio(1, 10) {
        change(random, &mut body, inputs);
    }
    let mut input = Input { content_type, content_encoding, schema, body };
    maybe_relabel(random, &mut input);
    Ok(input)
}

/// Pieces of schemas to insert into the text of others.
const PIECES: [&str; 16] = [
    r#""type":"#,
    r#"{"type":"array","items":"#,
    r#"["null","#,
    r#"{"type":"record","name":"N","fields":["#,
    r#"{"name":"f","type":"#,
    r#","logicalType":"decimal","precision":4,"scale":2"#,
    r#","logicalType":"uuid""#,
    r#","aliases":["a","b.c"]"#,
    r#","namespace":"a-b""#,
    r#","default":{}"#,
    r#"{"type":"fixed","name":"F","size":16}"#,
    r#"{"type":"enum","name":"E","symbols":["A","A"]}"#,
    r#""T""#,
    "]",
    "}",
    ",",
];

/// Returns the text of the schema with this number, changed in a few places, mostly with pieces of schemas.
fn changed_schema(random: &mut StdRng, schema: u8) -> String {
    let mut text = seeds::SCHEMAS[usize::from(schema) % seeds::SCHEMAS.len()].0.as_bytes().to_vec();
    for _ in 0..random.random_range(1..6) {
        if random.random_ratio(1, 3) {
            change(random, &mut text, &[]);
            continue;
        }
        let piece = PIECES[random.random_range(0..PIECES.len())].as_bytes();
        let at = random.random_range(0..=text.len());
        let until = if random.random_ratio(1, 2) { at } else { random.random_range(at..=text.len()).min(at + 40) };
        let times = if random.random_ratio(1, 10) { 1 << random.random_range(1..12) } else { 1 };
        text.splice(at..until, piece.repeat(times));
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn maybe_relabel(random: &mut StdRng, input: &mut Input) {
    if random.random_ratio(1, 8) {
        match random.random_range(0..3) {
            0 => input.content_type = random.random_range(0..5),
            1 => input.content_encoding = random.random_range(0..5),
            _ => input.schema = random.random_range(0..5),
        }
    }
}

/// Makes one change at a random place.
pub(super) fn change(random: &mut StdRng, bytes: &mut Vec<u8>, inputs: &[Input]) {
    let len = bytes.len();
    if len == 0 {
        bytes.push(random.random());
        return;
    }
    let at = random.random_range(0..len);
    let until = random.random_range(at..=len).min(at + 64);
    match random.random_range(0..10) {
        0 => bytes[at] ^= 1 << random.random_range(0..8),
        1 => bytes[at] = random.random(),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..until)),
        4 => {
            let varint = VARINTS[random.random_range(0..VARINTS.len())];
            bytes.splice(at..(at + 1).min(len), varint.iter().copied());
        }
        5 => {
            let varint = VARINTS[random.random_range(0..VARINTS.len())];
            bytes.splice(at..at, varint.iter().copied());
        }
        6 => {
            // Repeats a piece many times: items, levels, members.
            let piece = bytes[at..until.max(at + 1)].to_vec();
            let most = (LONGEST / piece.len()).min(1 << random.random_range(1..16));
            bytes.splice(at..at, piece.repeat(random.random_range(1..=most.max(1))));
        }
        7 if !inputs.is_empty() => {
            let other = &inputs[random.random_range(0..inputs.len())].body;
            let from = random.random_range(0..=other.len());
            bytes.splice(at..until, other[from..].iter().take(256).copied());
        }
        8 => bytes.extend((0..random.random_range(1..20)).map(|_| random.random::<u8>())),
        _ => bytes[at..until].fill([0, 0xff, 0x80, b'a'][random.random_range(0..4)]),
    }
    bytes.truncate(LONGEST);
}
