//! Answers and percentiles.

use super::*;

#[test]
fn the_length_of_an_answer_is_known_once_its_head_is_complete() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
    assert_eq!(answer_length(&answer[..20]).unwrap(), None);
    assert_eq!(answer_length(&answer[..answer.len() - 2]).unwrap(), Some(answer.len()));
    assert!(answer_length(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
}

#[test]
fn percentiles_use_the_nearest_rank() {
    let values: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
    assert_eq!(percentile(&values, 50), Some(100.0));
    assert_eq!(percentile(&values, 99), Some(198.0));
    assert_eq!(percentile(&values[..1], 99), Some(1.0));
    assert_eq!(percentile(&[], 99), None);
}
