//! The rest of a batch when all else is settled: documents that were set aside. Each is retried alone until it is
//! settled or its partition is revoked.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kafka::position::Partition;
use tokio::sync::watch;

use crate::batch::Batch;
use crate::bulk::set_aside::Lone;
use crate::bulk::{Bulk, SetAside};
use crate::dead_letter::DeadLetters;
use crate::message::progress::{Epoch, Progress};
use crate::message::report::{self, Report, Settled};

/// The assignments that have ended: the last one of each partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Revoked(Arc<watch::Sender<HashMap<Partition, Epoch>>>);

/// What a task needs to settle the rest of its batch.
pub(super) struct Rest {
    pub(super) reports: SyncSender<Report>,
    pub(super) revoked: Revoked,
}

impl Revoked {
    pub(super) fn note(&self, partition: Partition, epoch: Epoch) {
        self.0.send_modify(|revoked| {
            revoked.insert(partition, epoch);
        });
    }

    /// Completes when the assignment of `partition` under `epoch` has ended.
    async fn ended(&self, partition: Partition, epoch: Epoch) {
        let has_ended =
            |revoked: &HashMap<Partition, Epoch>| revoked.get(&partition).is_some_and(|last| *last >= epoch);
        if self.0.subscribe().wait_for(has_ended).await.is_err() {
            std::future::pending().await
        }
    }
}

impl Rest {
    /// Settles the documents of `batch` that were `set_aside`. Reports that all else is settled as soon as `batch`
    /// itself can be freed.
    pub(super) async fn settle(
        self,
        bulk: &Bulk,
        dead_letters: &DeadLetters,
        batch: Batch,
        set_aside: Vec<SetAside>,
    ) -> Report {
        let mut kept = 0;
        let mut open = FuturesUnordered::new();
        for set_aside in &set_aside {
            let out = bulk.single_out(&batch, set_aside);
            tokio::pin!(out);
            // Space is freed as others are settled.
            let lone = loop {
                tokio::select! {
                    lone = &mut out => break lone,
                    Some(()) = open.next() => {}
                }
            };
            kept += lone.held_bytes();
            open.push(self.decide(bulk, dead_letters, lone, epoch_of(&batch, set_aside)));
        }
        let (id, progress) = (batch.id, batch.progress.clone());
        let freed_bytes = batch.held_bytes().saturating_sub(kept);
        let held_bytes = batch.held_bytes() - freed_bytes;
        drop(batch);
        let report = report::SetAside { progress: progress.clone(), freed_bytes };
        if self.reports.send(Report::SetAside(report)).is_err() {
            tracing::debug!("A report arrived after the consuming thread had ended.");
        }
        while open.next().await.is_some() {}
        Report::Settled(Settled { id, progress, held_bytes, was_set_aside: true })
    }

    async fn decide(&self, bulk: &Bulk, dead_letters: &DeadLetters, mut lone: Lone, epoch: Epoch) {
        let Some(partition) = lone.batch().items.first().map(|item| item.origin.partition) else { return };
        let decide = async {
            let delivered = bulk.decide(&mut lone).await;
            dead_letters.write(bulk, lone.batch(), delivered.refused).await;
        };
        tokio::select! {
            () = decide => {}
            () = self.revoked.ended(partition, epoch) => {}
        }
    }
}

/// Returns the assignment with which the document of `set_aside` is given up.
fn epoch_of(batch: &Batch, set_aside: &SetAside) -> Epoch {
    let origin = &batch.items[set_aside.item].origin;
    // A document of no assignment would never be given up: that loses nothing.
    Progress::epoch_of(&batch.progress, origin.partition, origin.offset).unwrap_or(Epoch(u64::MAX))
}
