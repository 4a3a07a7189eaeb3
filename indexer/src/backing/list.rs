//! Requests the indices behind an alias or of a data stream from Elasticsearch.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::config::Strategy;
use crate::elasticsearch::errors::request_error_type;
use crate::elasticsearch::{Client, Method, Request, SendError, ServerAnswer};
use crate::placement::table::{FoundIndex, TableError};
pub(super) use apart::Unreadable;

mod apart;

/// The parts of an index that are read.
const FILTER_PATH: &str = "*.aliases,*.settings.index.creation_date,*.settings.index.blocks,*.settings.index.resize.source.name,*.settings.index.verified_before_close";
/// The query parameters for each index.
const QUERY: [(&str, &str); 2] = [("features", "aliases,settings"), ("filter_path", FILTER_PATH)];
/// The query parameters for the order of a data stream's backing indices.
const ORDER: [(&str, &str); 1] = [("filter_path", "data_streams.indices.index_name")];

/// Why the table could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There was no answer.
    #[error("{0}")]
    Send(#[from] SendError),
    /// The alias does not exist.
    #[error("no alias or data stream has this name")]
    Missing,
    /// The answer is not the list.
    #[error("the server answered {status}: {body}")]
    Refused {
        /// The status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// The list cannot become a table.
    #[error("{0}")]
    Table(#[from] TableError),
}

impl ReadError {
    /// Creates the error for `answer`, with the beginning of its body.
    pub(super) fn refused(answer: &ServerAnswer) -> Self {
        Self::Refused { status: answer.status, body: answer.beginning() }
    }
}

/// Returns the indices behind the alias `name`, or those of the data stream `name` in the stream's own order. Notes
/// indices whose metadata is blocked in `unreadable`.
///
/// # Errors
/// [`ReadError`].
pub(super) async fn read(
    client: &Client,
    name: &str,
    strategy: Strategy,
    is_opensearch: bool,
    unreadable: &Unreadable,
) -> Result<Vec<FoundIndex>, ReadError> {
    let order = match strategy {
        Strategy::DataStream => Some(order(client, name).await?),
        Strategy::Rollover | Strategy::Time | Strategy::Single => None,
    };
    let answer = get(client, &format!("/{name}"), query(is_opensearch)).await?;
    let found = if apart::is_blocked(&answer) {
        let found = apart::read(client, name, order.as_deref(), unreadable).await?;
        // The blocked index may be the write index.
        if strategy == Strategy::Rollover && !found.iter().any(|index| index.is_write) {
            return Err(ReadError::refused(&answer));
        }
        found
    } else {
        let indices: HashMap<String, IndexAnswer> = parse(&answer)?;
        let alone = indices.len() == 1;
        found(indices, name, alone)?
    };
    Ok(match order {
        Some(order) => in_order(found, &order),
        None => found,
    })
}

/// Returns the indices behind each of the aliases `names`, in that order.
///
/// # Errors
/// [`ReadError`], also if one of them does not exist or may not be read.
pub(super) async fn read_several(
    client: &Client,
    names: &[&str],
    is_opensearch: bool,
) -> Result<Vec<Vec<FoundIndex>>, ReadError> {
    let query = query(is_opensearch);
    let indices: HashMap<String, IndexAnswer> = parse(&get(client, &format!("/{}", names.join(",")), query).await?)?;
    names.iter().map(|name| of_alias(&indices, name)).collect()
}

async fn order(client: &Client, name: &str) -> Result<Vec<String>, ReadError> {
    let answer: StreamsAnswer = parse(&get(client, &format!("/_data_stream/{name}"), &ORDER).await?)?;
    let streams = answer.data_streams.into_iter();
    Ok(streams.flat_map(|stream| stream.indices).map(|index| index.index_name).collect())
}

/// Returns the first `_ingested_at` of the documents of `index`, in milliseconds since the Unix epoch, or `None` if
/// the index is empty.
///
/// # Errors
/// [`ReadError`].
pub(super) async fn first_ingested(client: &Client, index: &str) -> Result<Option<i64>, ReadError> {
    let body = json!({ "size": 0, "aggs": { "first": { "min": { "field": "_ingested_at" } } } });
    let request = Request {
        method: Method::Post,
        path: &format!("/{index}/_search"),
        // If a shard were missing, the first document of the others would count.
        query: &[("filter_path", "aggregations.first.value"), ("allow_partial_search_results", "false")],
        content_type: "application/json",
        body: Bytes::from(body.to_string()),
    };
    let answer: serde_json::Value = parse(&client.send(&request).await?)?;
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of this era fit")]
    Ok(answer["aggregations"]["first"]["value"].as_f64().map(|millis| millis as i64))
}

/// Returns the query parameters. `OpenSearch` does not know `features`, which only saves Elasticsearch from returning
/// the mappings.
fn query(is_opensearch: bool) -> &'static [(&'static str, &'static str)] {
    if is_opensearch { &QUERY[1..] } else { &QUERY }
}

async fn get(client: &Client, path: &str, query: &[(&str, &str)]) -> Result<ServerAnswer, ReadError> {
    let request = Request { method: Method::Get, path, query, content_type: "application/json", body: Bytes::new() };
    Ok(client.send(&request).await?)
}

fn parse<T: DeserializeOwned>(answer: &ServerAnswer) -> Result<T, ReadError> {
    match answer.status {
        200 => serde_json::from_slice(&answer.body)
            .map_err(|error| ReadError::Refused { status: answer.status, body: error.to_string() }),
        404 if request_error_type(&answer.body).as_deref() == Some("index_not_found_exception") => {
            Err(ReadError::Missing)
        }
        _ => Err(ReadError::refused(answer)),
    }
}

#[derive(Deserialize)]
struct StreamsAnswer {
    #[serde(default)]
    data_streams: Vec<StreamAnswer>,
}

#[derive(Deserialize)]
struct StreamAnswer {
    #[serde(default)]
    indices: Vec<StreamIndexAnswer>,
}

#[derive(Deserialize)]
struct StreamIndexAnswer {
    index_name: String,
}

#[derive(Clone, Deserialize)]
struct IndexAnswer {
    #[serde(default)]
    aliases: HashMap<String, AliasAnswer>,
    settings: SettingsAnswer,
}

#[derive(Clone, Deserialize)]
struct AliasAnswer {
    is_write_index: Option<bool>,
}

#[derive(Clone, Deserialize)]
struct SettingsAnswer {
    index: IndexSettingsAnswer,
}

#[derive(Clone, Deserialize)]
struct IndexSettingsAnswer {
    creation_date: String,
    #[serde(default)]
    blocks: BlocksAnswer,
    resize: Option<serde_json::Value>,
    /// "true" for a closed index.
    verified_before_close: Option<String>,
}

/// The blocks of an index as text. `read_only_allow_delete`, the disk's flood stage, is left out because it passes by
/// itself.
#[derive(Clone, Default, Deserialize)]
struct BlocksAnswer {
    write: Option<String>,
    read_only: Option<String>,
}

fn of_alias(indices: &HashMap<String, IndexAnswer>, alias: &str) -> Result<Vec<FoundIndex>, ReadError> {
    let own = indices.iter().filter(|(_, index)| index.aliases.contains_key(alias));
    let own: HashMap<String, IndexAnswer> = own.map(|(name, index)| (name.clone(), index.clone())).collect();
    let alone = own.len() == 1;
    found(own, alias, alone)
}

/// Returns `indices` as indices behind `alias`. `alone` says that the alias has only one.
fn found(indices: HashMap<String, IndexAnswer>, alias: &str, alone: bool) -> Result<Vec<FoundIndex>, ReadError> {
    let mut all = Vec::with_capacity(indices.len());
    for (name, index) in indices {
        let is_write = match index.aliases.get(alias) {
            // An alias of one index writes to it, unless `is_write_index` is false (Elasticsearch reference,
            // "Aliases").
            Some(entry) => entry.is_write_index.unwrap_or(alone),
            None => false,
        };
        let IndexSettingsAnswer { creation_date, blocks, resize, verified_before_close } = index.settings.index;
        let created = creation_date.parse().map_err(|_| unusable(format!("{name} has no creation date")))?;
        let is_set = |block: Option<String>| block.is_some_and(|value| value == "true");
        let writable = !is_set(blocks.write) && !is_set(blocks.read_only) && !is_set(verified_before_close);
        all.push(FoundIndex { name, created, writable, is_write, is_resized: resize.is_some() });
    }
    Ok(all)
}

/// Returns `found` in the `order` of the stream, with the last one as write index. Drops indices that are newer than
/// the order, and names that were deleted meanwhile.
fn in_order(found: Vec<FoundIndex>, order: &[String]) -> Vec<FoundIndex> {
    let mut found: HashMap<String, FoundIndex> = found.into_iter().map(|index| (index.name.clone(), index)).collect();
    let mut all: Vec<FoundIndex> = order.iter().filter_map(|name| found.remove(name)).collect();
    if let Some(last) = all.last_mut() {
        last.is_write = true;
    }
    apart::date(&mut all);
    all
}

fn unusable(why: String) -> ReadError {
    ReadError::Refused { status: 200, body: why }
}

#[cfg(test)]
mod tests;
