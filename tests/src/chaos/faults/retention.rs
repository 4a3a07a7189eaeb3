//! Retention deletes records of the events: those that the group has committed, or all. Events that were not committed
//! may be missing afterwards (P5 in the README); no other event may.

use std::collections::BTreeMap;

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::fault::Records;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::eventually::eventually;
use crate::kafka::Record;

pub(crate) struct Retention(Records);

impl Retention {
    pub(crate) fn new(records: Records) -> Self {
        Self(records)
    }

    async fn delete(&self, scene: &Scene) -> Result<()> {
        let (kafka, topic) = (&scene.pipeline.kafka, &scene.pipeline.config.kafka.topic);
        // The audit needs the records, so only those are deleted that can be read now.
        let records = kafka.read_all(topic).await?;
        let committed = kafka.committed(&scene.pipeline.config.indexer.group_id, topic).await?;
        let is_committed = |record: &Record| {
            let end = committed.get(&record.partition).copied().flatten();
            end.is_some_and(|end| record.offset < end)
        };
        let is_gone = |record: &Record| self.0 == Records::All || is_committed(record);
        let gone: Vec<Record> = records.into_iter().filter(is_gone).collect();
        let overtaken = gone.iter().filter(|&record| !is_committed(record)).filter_map(id);
        scene.exceptions.lock().await.overtaken.extend(overtaken);
        // They are in the order of their offsets, so the last one counts.
        let ends: BTreeMap<i32, i64> = gone.iter().map(|record| (record.partition, record.offset + 1)).collect();
        let gone = gone.into_iter().map(|record| ((record.partition, record.offset), record));
        scene.gone.lock().await.extend(gone);
        if ends.is_empty() {
            return Ok(());
        }
        kafka.delete_records_before(topic, &ends).await
    }
}

/// Returns the id of the event in `record`, if the key is text.
fn id(record: &Record) -> Option<String> {
    String::from_utf8(record.key.clone()?).ok()
}

impl Fault for Retention {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { eventually("retention has deleted the records", || self.delete(scene)).await })
    }
}
