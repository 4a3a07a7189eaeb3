//! Parses the partitions of a group's member: the assignment in the classic group protocol (Kafka's
//! `ConsumerProtocolAssignment`). Pure.

/// Returns the topics and partitions of an assignment. Omits truncated or malformed parts.
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
mod tests;
