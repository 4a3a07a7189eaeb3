//! Finds out whether an existing document is the same event. A duplicate is proven, not assumed (P4).
//!
//! A 409 to `create`, or an id found in an older backing index, shows only that *some* document has the id. The
//! stored document shows which. The rules, in this order:
//!
//! 1. Its `_ingested_at` is the record's timestamp: it is this record, read again.
//! 2. All other fields are equal: the sender has repeated the event.
//! 3. The index changes documents (`handling`), or this document has been changed (its version is not 1): only fields
//!    that both have are compared. If there are none, nothing can be proven, and the document counts as a duplicate
//!    (`none` in the metric).
//! 4. Otherwise it is another event: an id conflict, which becomes a dead letter.
//!
//! The first rule is not enough for two records of one batch with the same id and timestamp, which the events of one
//! request have. For them, and for a redriven record, the contents decide. [`compare`] says how they are compared;
//! `stored` reads them.

use std::sync::Arc;

use super::look_up::Question;
use super::outcome::Obstacle;
use super::progress::Progress;
use super::work::Work;
use crate::batch::Batch;
use crate::config::{Config, OnDuplicate, VerifyDuplicates};
use crate::elasticsearch::Client;
use crate::metrics::VerifyMetrics;
use crate::placement::Table;
use conflicts::ConflictReport;
pub(super) use conflicts::Conflicts;
pub(super) use prover::Prover;
pub(super) use verdict::{Proof, Suspect, Verdict};

pub mod compare;
mod conflicts;
mod handling;
mod instant;
mod own;
mod parts;
mod prover;
mod stored;
mod verdict;

/// How often a document may be missing when it is looked up but exist when it is written, with a wait after each time:
/// a read may go to a replica that the document has not reached yet (Elasticsearch reference, "Reading and writing
/// documents"). After that it counts as a duplicate that cannot be proven. Otherwise a role that may not see the
/// document (document-level security) would keep it in an endless loop.
const MAX_ROUNDS: u8 = 5;

/// Decides, for one topic, about documents whose id is taken.
#[derive(Debug)]
pub(super) struct Verify {
    prover: Prover,
    conflicts: ConflictReport,
    metrics: VerifyMetrics,
}

impl Verify {
    /// Creates the verification for the topic of `config`. Returns `None` if the config turns it off, and for
    /// `keep_last`, where the later event of an id replaces the earlier one.
    pub(super) fn new(config: &Config, client: &Arc<Client>, metrics: &VerifyMetrics) -> Option<Self> {
        let settings = &config.elasticsearch;
        let how = settings.verify_duplicates;
        let proves = how != VerifyDuplicates::Never && settings.on_duplicate == OnDuplicate::KeepFirst;
        proves.then(|| Self {
            prover: Prover::new(config, client, how),
            conflicts: ConflictReport::new(&config.kafka.topic, metrics),
            metrics: metrics.clone(),
        })
    }

    /// Reads what is stored under the ids of `suspects`. The same event is a duplicate, another event makes a dead
    /// letter, and a document that is gone is sent again.
    pub(super) async fn settle(&self, work: &mut Work<'_>, batch: &Batch, suspects: Vec<Suspect>) -> Progress {
        let mut progress = Progress::default();
        let verdicts = match self.prover.prove(batch, &suspects).await {
            Ok(verdicts) => verdicts,
            Err(obstacle) => {
                note_blocked(work, &suspects, &obstacle);
                work.suspect_again(suspects, obstacle, &mut progress);
                return progress;
            }
        };
        let mut conflicts = Vec::new();
        for (suspect, verdict) in suspects.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Same(proof) => {
                    self.count(proof);
                    work.delivered.duplicate(&mut progress.counts);
                }
                Verdict::Gone if work.proofs.rounds(suspect.item) < MAX_ROUNDS => {
                    progress.counts.failed += 1;
                    work.send_again(suspect.item);
                }
                Verdict::Gone => {
                    self.count(Proof::None);
                    work.delivered.duplicate(&mut progress.counts);
                }
                Verdict::Other(ingested_at) => conflicts.push((suspect, ingested_at)),
            }
        }
        self.refuse(work, batch, conflicts, &mut progress);
        progress
    }

    /// Keeps, for each question, only the copies that are the same event. For questions without such a copy, returns
    /// the copy that is another event.
    ///
    /// # Errors
    /// [`Obstacle`], if some copies could not be checked.
    pub(super) async fn sift(
        &self,
        batch: &Batch,
        table: &Table,
        questions: &mut [Question],
    ) -> Result<Conflicts, Obstacle> {
        let copies = |question: &Question| {
            let suspect = |number: &usize| Suspect { item: question.item, index: index_of(table, *number) };
            question.found.iter().map(suspect).collect::<Vec<_>>()
        };
        let suspects: Vec<Suspect> = questions.iter().flat_map(copies).collect();
        let mut verdicts = self.prover.prove(batch, &suspects).await?.into_iter();
        let mut conflicts = Vec::new();
        for question in questions {
            let (mut same, mut other) = (Vec::new(), None);
            for (number, verdict) in std::mem::take(&mut question.found).into_iter().zip(verdicts.by_ref()) {
                match verdict {
                    Verdict::Same(proof) => same.push((number, proof)),
                    Verdict::Other(ingested_at) => other = Some((number, ingested_at)),
                    Verdict::Gone => {}
                }
            }
            if let Some((_, proof)) = same.first() {
                self.count(*proof);
            } else if let Some((number, ingested_at)) = other {
                let suspect = Suspect { item: question.item, index: index_of(table, number) };
                conflicts.push((suspect, ingested_at));
            }
            question.found = same.into_iter().map(|(number, _)| number).collect();
        }
        Ok(conflicts)
    }

    /// Makes dead letters of the `conflicts`.
    pub(super) fn refuse(&self, work: &mut Work<'_>, batch: &Batch, conflicts: Conflicts, progress: &mut Progress) {
        self.conflicts.report(batch, &conflicts);
        for (suspect, ingested_at) in conflicts {
            let refusal = self.conflicts.refusal(batch, &suspect, ingested_at.as_deref());
            work.refuse(suspect.item, refusal, progress);
        }
    }

    fn count(&self, proof: Proof) {
        self.metrics.duplicates.with_label_values(&[proof.as_str()]).inc();
    }
}

/// Notes which of `suspects` wait for the index that `obstacle` blocks.
fn note_blocked(work: &mut Work<'_>, suspects: &[Suspect], obstacle: &Obstacle) {
    let Obstacle::Block(block) = obstacle else { return };
    for suspect in suspects.iter().filter(|suspect| block.index.as_deref() == Some(&*suspect.index)) {
        work.obstructed.note_asked(suspect.item, Arc::clone(&suspect.index), block);
    }
}

fn index_of(table: &Table, number: usize) -> Arc<str> {
    Arc::clone(&table.backing()[number].name)
}

#[cfg(test)]
mod tests;
