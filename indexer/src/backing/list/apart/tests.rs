use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::backing::list;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Received, Reply, Stub, failure};
use crate::config::Strategy;
use crate::placement::Table;

const COUNT: usize = 12;

fn name(number: usize) -> String {
    format!("e-{number:06}")
}

fn index(number: usize) -> Value {
    let alias = json!({ "e": { "is_write_index": number == COUNT } });
    json!({ "aliases": alias, "settings": { "index": { "creation_date": (number * 1_000).to_string() } } })
}

/// Answers for [`COUNT`] indices behind the alias or data stream `e`, of which those of the numbers `blocked` do not
/// let their metadata be read, and that of `gone` is deleted behind the first question.
fn answer(received: &Received, blocked: &[usize], gone: usize) -> Reply {
    let path = received.line.split([' ', '?']).nth(1).unwrap().trim_start_matches('/');
    let all: Vec<String> = (1..=COUNT).map(name).collect();
    let asked: Vec<&str> = match path {
        "_resolve/index/e" => {
            return Reply::Answer(200, json!({ "aliases": [{ "name": "e", "indices": all }] }).to_string());
        }
        "_data_stream/e" => {
            let indices: Vec<Value> = all.iter().map(|name| json!({ "index_name": name })).collect();
            return Reply::Answer(200, json!({ "data_streams": [{ "indices": indices }] }).to_string());
        }
        "e" => all.iter().map(String::as_str).collect(),
        names => names.split(',').collect(),
    };
    let numbers: Vec<usize> = asked.iter().map(|name| name[2..].parse().unwrap()).collect();
    if path != "e" && numbers.contains(&gone) {
        return failure(404, "index_not_found_exception");
    }
    if numbers.iter().any(|number| blocked.contains(number)) {
        return failure(403, "cluster_block_exception");
    }
    Reply::Answer(
        200,
        Value::Object(numbers.iter().map(|number| (name(*number), index(*number))).collect()).to_string(),
    )
}

async fn read(
    strategy: Strategy,
    blocked: &'static [usize],
    gone: usize,
) -> (Result<Vec<FoundIndex>, ReadError>, usize) {
    let stub = Stub::start(move |received| answer(received, blocked, gone)).await;
    let client = Client::new(&config(&stub.url()).elasticsearch).unwrap();
    let found = list::read(&client, "e", strategy, false, &Unreadable::default()).await;
    (found, stub.requests().len())
}

#[tokio::test]
async fn one_index_with_blocked_metadata_does_not_hide_the_others() {
    for strategy in [Strategy::Rollover, Strategy::DataStream] {
        let (found, requests) = read(strategy, &[3], 7).await;
        let found = found.unwrap();
        let names: BTreeSet<&str> = found.iter().map(|index| index.name.as_str()).collect();
        let expected: Vec<String> = (1..=COUNT).filter(|number| *number != 7).map(name).collect();
        assert!(names.iter().copied().eq(expected.iter().map(String::as_str)), "{names:?}");
        for index in &found {
            let number: usize = index.name[2..].parse().unwrap();
            assert_eq!((index.writable, index.is_resized), (number != 3, number == 3), "{number}");
            assert_eq!(index.is_write, number == COUNT, "{number}");
        }
        // The list and what it leads to, two parts, and one of these in halves again and again, for two indices.
        assert!(requests <= 20, "{requests}");
    }
}

#[tokio::test]
async fn documents_of_an_index_with_blocked_metadata_are_looked_up() {
    let (found, _) = read(Strategy::Rollover, &[1], 0).await;
    let table = Table::new("e", found.unwrap(), None, i64::MAX, std::time::Duration::ZERO).unwrap();
    assert_eq!((&*table.write().name, table.backing().len()), ("e-000012", COUNT));
    assert!(!table.backing()[0].writable && table.backing()[1].writable);
    assert_eq!(table.backing()[0].start, i64::MIN);
}

#[tokio::test]
async fn a_blocked_stream_index_begins_no_later_than_the_next() {
    let (found, _) = read(Strategy::DataStream, &[3, 4], 0).await;
    let found = found.unwrap();
    let created: Vec<i64> = found.iter().map(|index| index.created).collect();
    assert_eq!(created[..6], [1_000, 2_000, 5_000, 5_000, 5_000, 6_000]);
}

/// Nothing can be written where it is not known which index the alias writes to.
#[tokio::test]
async fn blocked_metadata_of_the_write_index_fails_with_the_reason() {
    let (found, _) = read(Strategy::Rollover, &[COUNT], 0).await;
    let error = found.unwrap_err();
    assert!(matches!(&error, ReadError::Refused { status: 403, body } if body.contains("cluster_block")), "{error}");
}

#[tokio::test]
async fn a_list_without_blocked_metadata_takes_one_request() {
    let (found, requests) = read(Strategy::Rollover, &[], 0).await;
    assert_eq!((found.unwrap().len(), requests), (COUNT, 1));
}
