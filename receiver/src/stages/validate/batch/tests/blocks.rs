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
    for codec in all_codecs().into_iter().filter(|codec| !matches!(codec, Codec::Bzip2(_))) {
        let name: &str = codec.into();
        // An event of some length, and no two alike.
        let event = |number: usize| {
            let id = format!("{:032x}", (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834));
            [vec![2, 64], id.into_bytes(), b"\x06amy".to_vec()].concat()
        };
        let blocks: Vec<Vec<u8>> = (0..EVENTS).map(|number| packed(codec, &event(number))).collect();
        let blocks: Vec<(u8, &[u8])> = blocks.iter().map(|block| (1, &**block)).collect();
        let batch = read(&file_of(SCHEMA, name, &blocks), &LIMITS).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(batch.events().len(), EVENTS, "{name}");
    }
}

#[test]
fn blocks_that_cost_more_than_was_sent_for_them_are_refused() {
    for codec in all_codecs().into_iter().skip(1) {
        let name: &str = codec.into();
        let block = packed(codec, &datum(0));
        assert_eq!(read(&file_of(SCHEMA, name, &[(1, &*block); 100]), &LIMITS).unwrap().events().len(), 100);
        let many = read(&file_of(SCHEMA, name, &vec![(1, &*block); 2_000]), &LIMITS);
        match codec {
            // Ten bytes of an event in a hundred of a file.
            Codec::Zstandard(_) | Codec::Bzip2(_) => {
                assert!(matches!(many, Err(BatchError::SmallBlocks)), "{name}: {many:?}");
            }
            _ => assert_eq!(many.unwrap().events().len(), 2_000, "{name}"),
        }
    }
    let plain = file_of(SCHEMA, "null", &vec![(1, &*datum(0)); 1_000]);
    assert_eq!(read(&plain, &LIMITS).unwrap().events().len(), 1_000, "without a codec they cost nothing");
}
