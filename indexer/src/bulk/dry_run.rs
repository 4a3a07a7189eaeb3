//! What a batch would do to the index, without writing it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};

use super::Bulk;
use super::look_up::id_of;
use super::outcome::{BulkFailure, Trouble};
use super::reroute::MAX_LOOK_UPS;
use super::verify::{Obstacle, Suspect, Verdict, Verify};
use crate::batch::Batch;
use crate::config::Config;
use crate::elasticsearch::{Method, Request};
use crate::index::RequestError;
use crate::metrics::Metrics;

/// Counts what would be written.
#[derive(Debug)]
pub struct DryRun {
    verify: Verify,
    is_stream: bool,
    /// Documents that would be written.
    pub new: AtomicU64,
    /// Documents that are there already, made of the same event.
    pub same: AtomicU64,
    /// Documents whose id another event has.
    pub conflicts: AtomicU64,
    /// Records of which no document can be made.
    pub undecodable: AtomicU64,
}

impl DryRun {
    /// Creates a count of nothing, for the index of `config`.
    ///
    /// # Errors
    /// When Elasticsearch's settings cannot be used.
    pub fn new(config: &Config, metrics: &Metrics) -> Result<Self, crate::elasticsearch::SettingsError> {
        let client = Arc::new(super::Client::new(&config.elasticsearch)?);
        Ok(Self {
            verify: Verify::always(config, &client, &metrics.verify),
            is_stream: config.elasticsearch.strategy == crate::config::Strategy::DataStream,
            new: AtomicU64::new(0),
            same: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
            undecodable: AtomicU64::new(0),
        })
    }

    fn count(&self, verdict: &Verdict) {
        let count = match verdict {
            Verdict::Gone => &self.new,
            Verdict::Same(_) => &self.same,
            Verdict::Other(_) => &self.conflicts,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bulk {
    /// Returns whether the index, alias or data stream is there. Changes nothing.
    ///
    /// # Errors
    /// When Elasticsearch does not answer, or refuses.
    pub async fn has_index(&self) -> Result<bool, RequestError> {
        self.index.has_place().await
    }

    /// Compares the documents of `batch` with what is stored and counts them in `dry_run`. Tries until Elasticsearch
    /// answers. Writes nothing.
    pub async fn weigh(&self, batch: &Batch, dry_run: &DryRun) {
        dry_run.undecodable.fetch_add(batch.undecodable.len() as u64, Ordering::Relaxed);
        let items: Vec<usize> = (0..batch.items.len()).collect();
        for chunk in items.chunks(MAX_LOOK_UPS) {
            let mut failures = 0;
            let verdicts = loop {
                match self.compare(batch, chunk, dry_run).await {
                    Ok(verdicts) => break verdicts,
                    Err(obstacle) => {
                        failures += 1;
                        tracing::warn!(%obstacle, "What is stored could not be read; it is tried again.");
                        self.wait(failures).await;
                    }
                }
            };
            verdicts.iter().for_each(|verdict| dry_run.count(verdict));
        }
    }

    /// Returns what is stored under the ids of `items`: where they belong, else in any other index of the same name.
    async fn compare(&self, batch: &Batch, items: &[usize], dry_run: &DryRun) -> Result<Vec<Verdict>, Obstacle> {
        let at_home = |item: &usize| {
            let target = batch.targets.get(batch.items[*item].target as usize)?;
            Some(Suspect { item: *item, index: Arc::clone(&target.index) })
        };
        let mut verdicts: HashMap<usize, Verdict> = HashMap::new();
        if !dry_run.is_stream {
            let suspects: Vec<Suspect> = items.iter().filter_map(at_home).collect();
            let found = dry_run.verify.prove(batch, &suspects).await?;
            verdicts.extend(suspects.iter().map(|suspect| suspect.item).zip(found));
        }
        let is_open = |item: &&usize| verdicts.get(*item).is_none_or(|verdict| *verdict == Verdict::Gone);
        let open: Vec<usize> = items.iter().filter(is_open).copied().collect();
        let elsewhere = self.locate(batch, &open).await?;
        let found = dry_run.verify.prove(batch, &elsewhere).await?;
        verdicts.extend(elsewhere.iter().map(|suspect| suspect.item).zip(found));
        Ok(items.iter().map(|item| verdicts.remove(item).unwrap_or(Verdict::Gone)).collect())
    }

    /// Searches all indices behind the name for the ids of `items`.
    async fn locate(&self, batch: &Batch, items: &[usize]) -> Result<Vec<Suspect>, BulkFailure> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let by_id: HashMap<String, usize> =
            items.iter().map(|item| (id_of(&batch.body[batch.items[*item].body.clone()]), *item)).collect();
        let ids: Vec<&String> = by_id.keys().collect();
        let query = json!({ "query": { "ids": { "values": ids } }, "size": MAX_LOOK_UPS, "_source": false });
        let request = Request {
            method: Method::Post,
            path: &format!("/{}/_search", self.index.name()),
            query: &[("ignore_unavailable", "true"), ("filter_path", "hits.hits._id,hits.hits._index")],
            content_type: "application/json",
            body: Bytes::from(query.to_string()),
        };
        let answer = self.client.send(&request).await?;
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        if answer.status != 200 {
            let detail = format!("searching {} ids: status {}: {}", ids.len(), answer.status, answer.beginning());
            return Err(BulkFailure { trouble: Trouble::Server, detail });
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
