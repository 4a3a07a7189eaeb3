use super::*;

#[test]
fn an_assignment_is_parsed_and_malformed_bytes_are_ignored() {
    let mut bytes = vec![0, 3, 0, 0, 0, 2];
    for (topic, partitions) in [("events", &[0, 2][..]), ("b", &[1])] {
        bytes.extend_from_slice(&u16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(topic.as_bytes());
        bytes.extend_from_slice(&i32::try_from(partitions.len()).unwrap().to_be_bytes());
        partitions.iter().for_each(|partition: &i32| bytes.extend_from_slice(&partition.to_be_bytes()));
    }
    let all = vec![("events".to_owned(), vec![0, 2]), ("b".to_owned(), vec![1])];
    assert_eq!(read(&bytes), all);
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).len() < 2, "{end}");
    }
    assert_eq!(read(&[0xff; 64]), Vec::new());
}
