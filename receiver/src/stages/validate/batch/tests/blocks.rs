//! Files of many small blocks.

use super::*;

/// Returns the block that holds `data` alone.
fn packed(codec: Codec, data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    codec.compress(&mut data).unwrap();
    data
}

/// As writers make them that flush after each event, or after every hundred small ones (Go's).
#[test]
fn a_block_for_each_event_is_accepted() {
    const EVENTS: usize = 5_000;
    // An event of some length, and no two alike; or ten bytes.
    let long = |number: usize| {
        let id = format!("{:032x}", (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834));
        [vec![2, 64], id.into_bytes(), b"\x06amy".to_vec()].concat()
    };
    let events: [&dyn Fn(usize) -> Vec<u8>; 2] = [&long, &datum];
    for (codec, event) in all_codecs().into_iter().flat_map(|codec| events.map(|event| (codec, event))) {
        let name: &str = codec.into();
        let blocks: Vec<Vec<u8>> = (0..EVENTS).map(|number| packed(codec, &event(number))).collect();
        let blocks: Vec<(u8, &[u8])> = blocks.iter().map(|block| (1, &**block)).collect();
        let batch = read(&file_of(SCHEMA, name, &blocks), &LIMITS).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(batch.events().len(), EVENTS, "{name}");
    }
}

/// linkedin/goavro#44, AdrianStrugala/AvroConvert#22: Hive names no codec for files that are not compressed.
#[test]
fn a_file_without_a_codec_is_not_compressed() {
    const CODEC: &[u8] = b"\x14avro.codec\x08null";
    let mut file = file_of(SCHEMA, "null", &[(1, &datum(0)), (0, b"")]);
    let at = file.windows(CODEC.len()).position(|window| window == CODEC).unwrap();
    file.drain(at..at + CODEC.len());
    // One entry in the header.
    file[4] = 2;
    assert_eq!(Container::open(&file).unwrap().codec(), "null");
    assert_eq!(read(&file, &LIMITS).unwrap().events().len(), 1);
    assert_eq!(read(&file_of(SCHEMA, "", &[(1, &datum(0))]), &LIMITS).unwrap().events().len(), 1);
}
