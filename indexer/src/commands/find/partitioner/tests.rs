use super::*;

/// Uses the values of Kafka's own test (`UtilsTest.testMurmur2`).
#[test]
fn the_hash_equals_that_of_kafkas_clients() {
    for (key, hash) in [
        ("21", -973_932_308_i32),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ] {
        assert_eq!(murmur2(key.as_bytes()), hash.cast_unsigned(), "{key}");
    }
    assert!((0..4).contains(&partition_of(b"", 4)));
    assert_eq!(partition_of(b"abc", 0), 0);
}
