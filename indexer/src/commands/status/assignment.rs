//! What a member of a group says of its partitions: the assignment of the classic group protocol (Kafka's
//! `ConsumerProtocolAssignment`). Pure.

/// Returns topic and partitions of an assignment. What is cut off or malformed is left out.
pub(super) fn read(bytes: &[u8]) -> Vec<(String, Vec<i32>)> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut topics = Vec::new();
    for _ in 0..take_count(&mut rest).unwrap_or(0) {
        let Some(topic) = take_topic(&mut rest) else { break };
        topics.push(topic);
    }
    topics
}

fn take_topic(rest: &mut &[u8]) -> Option<(String, Vec<i32>)> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    let (name, after) = rest.split_at_checked(length)?;
    *rest = after;
    let mut partitions = Vec::new();
    for _ in 0..take_count(rest)? {
        partitions.push(i32::from_be_bytes(take(rest)?));
    }
    Some((String::from_utf8_lossy(name).into_owned(), partitions))
}

fn take_count(rest: &mut &[u8]) -> Option<i32> {
    Some(i32::from_be_bytes(take(rest)?))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_names_topics_and_partitions_and_garbage_names_none() {
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
}
