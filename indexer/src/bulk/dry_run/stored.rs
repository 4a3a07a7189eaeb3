//! Finds what is stored under the ids of a batch's documents, in the expected index or elsewhere.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::batch::Batch;
use crate::bulk::look_up::id_of;
use crate::bulk::outcome::{BulkFailure, Obstacle};
use crate::bulk::reroute::MAX_LOOK_UPS;
use crate::bulk::verify::{Prover, Suspect, Verdict};
use crate::config::{Config, Strategy, VerifyDuplicates};
use crate::elasticsearch::errors::request_error_type;
use crate::elasticsearch::{Client, Method, Request};
use crate::message::target::Route;

/// Reads the documents of the indices, aliases or data streams of one topic.
#[derive(Debug)]
pub(super) struct Stored {
    client: Arc<Client>,
    prover: Prover,
    /// The names of the index sets.
    indices: Vec<String>,
    is_stream: bool,
}

impl Stored {
    /// Creates a reader for the index of `config` that uses `client`.
    pub(super) fn new(config: &Config, client: Arc<Client>) -> Self {
        let settings = &config.elasticsearch;
        Self {
            prover: Prover::new(config, &client, VerifyDuplicates::Always),
            client,
            indices: settings.index_names().into_iter().map(str::to_owned).collect(),
            is_stream: settings.strategy == Strategy::DataStream,
        }
    }

    /// Returns what is stored under the ids of `items`: in the index where they belong, or in any other index of the
    /// same name.
    pub(super) async fn compare(&self, batch: &Batch, items: &[usize]) -> Result<Vec<Verdict>, Obstacle> {
        let at_home = |item: &usize| {
            let target = batch.targets.get(batch.items[*item].target as usize)?;
            Some(Suspect { item: *item, index: Arc::clone(&target.index) })
        };
        let mut verdicts: HashMap<usize, Verdict> = HashMap::new();
        if !self.is_stream {
            let suspects: Vec<Suspect> = items.iter().filter_map(at_home).collect();
            let found = self.prover.prove(batch, &suspects).await?;
            verdicts.extend(suspects.iter().map(|suspect| suspect.item).zip(found));
        }
        let is_open = |item: &&usize| verdicts.get(*item).is_none_or(|verdict| *verdict == Verdict::Gone);
        let open: Vec<usize> = items.iter().filter(is_open).copied().collect();
        let mut elsewhere = Vec::new();
        for (route, index) in (0..).map(Route).zip(&self.indices) {
            let items: Vec<usize> = open.iter().copied().filter(|item| batch.route(*item) == route).collect();
            elsewhere.extend(self.locate(index, batch, &items).await?);
        }
        let found = self.prover.prove(batch, &elsewhere).await?;
        verdicts.extend(elsewhere.iter().map(|suspect| suspect.item).zip(found));
        Ok(items.iter().map(|item| verdicts.remove(item).unwrap_or(Verdict::Gone)).collect())
    }

    /// Searches all indices behind the name `index` for the ids of `items`.
    async fn locate(&self, index: &str, batch: &Batch, items: &[usize]) -> Result<Vec<Suspect>, Obstacle> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let by_id: HashMap<String, usize> =
            items.iter().map(|item| (id_of(&batch.body[batch.items[*item].body.clone()]), *item)).collect();
        let ids: Vec<&String> = by_id.keys().collect();
        let query = json!({ "query": { "ids": { "values": ids } }, "size": MAX_LOOK_UPS, "_source": false });
        let request = Request {
            method: Method::Post,
            path: &format!("/{index}/_search"),
            // If a shard were missing, its documents would count as new.
            query: &[
                ("ignore_unavailable", "true"),
                ("allow_partial_search_results", "false"),
                ("filter_path", "hits.hits._id,hits.hits._index"),
            ],
            content_type: "application/json",
            body: Bytes::from(query.to_string()),
        };
        let answer = self.client.send(&request).await.map_err(BulkFailure::from)?;
        match answer.status {
            200 => {}
            404 if request_error_type(&answer.body).as_deref() == Some("index_not_found_exception") => {
                return Ok(Vec::new());
            }
            _ => return Err(Obstacle::of_answer("searching ids", index, &answer)),
        }
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let hits = answer["hits"]["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
        let suspect = |hit: &Value| {
            let item = by_id.get(hit["_id"].as_str()?)?;
            Some(Suspect { item: *item, index: Arc::from(hit["_index"].as_str()?) })
        };
        Ok(hits.iter().filter_map(suspect).collect())
    }
}
