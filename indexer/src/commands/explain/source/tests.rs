use super::*;

#[test]
fn a_record_is_named_by_topic_partition_and_offset() {
    let record = Source::Record { topic: "a.b-c_d".to_owned(), partition: Partition(3), offset: Offset(120) };
    assert_eq!("a.b-c_d:3:120".parse::<Source>().unwrap(), record);
    for text in ["a", "a:1", ":1:2", "a:-1:2", "a:1:-2", "a:b:2"] {
        assert!(text.parse::<Source>().is_err(), "{text}");
    }
}
