//! Whether a document that is there already is the same event. A duplicate is proven, not assumed (P4).
//!
//! `create` that is answered 409, and an id that was found in an older backing index, say that *something* has the id.
//! The stored document says what. The rules, in this order:
//!
//! 1. Its `_ingested_at` is the record's timestamp: it is this record, read again.
//! 2. The rest of it is equal: the sender has repeated the event.
//! 3. The index changes documents (`handling`), or somebody has changed this one (its version is not 1): only fields
//!    that both have are compared. Where there are none, nothing can be proven, and it counts as a duplicate (`none` in
//!    the metric).
//! 4. Else it is another event: an id conflict, which is a dead letter.
//!
//! The first rule is not enough for two records of one batch with the same id and the same timestamp, as the events
//! of one request have: there, and for a record that was redriven, the contents decide. What is compared how is in
//! [`compare`]; [`stored`] reads.

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

mod compare;
mod conflicts;
mod handling;
mod instant;
mod own;
mod parts;
mod prover;
mod stored;
mod verdict;

/// How often a document may be gone when it is looked at, and there again when it is written. After that it counts as a
/// duplicate that cannot be proven: a role that may not see it (document-level security) would make it go round without
/// end.
const MAX_ROUNDS: u8 = 3;

/// Says, for one topic, what becomes of documents whose id is taken.
#[derive(Debug)]
pub(super) struct Verify {
    prover: Prover,
    conflicts: ConflictReport,
    metrics: VerifyMetrics,
}

impl Verify {
    /// For the topic of `config`; none where nothing is proven: by config, and with `keep_last`, where the later event
    /// of an id is meant to replace the earlier one.
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

    /// Looks at what is stored under the ids of `suspects`: the same event is a duplicate, another one makes a dead
    /// letter, and what is gone is sent again.
    pub(super) async fn settle(&self, work: &mut Work<'_>, batch: &Batch, suspects: Vec<Suspect>) -> Progress {
        let mut progress = Progress::default();
        let verdicts = match self.prover.prove(batch, &suspects).await {
            Ok(verdicts) => verdicts,
            Err(obstacle) => {
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
                Verdict::Gone if work.proofs.rounds(suspect.item) < MAX_ROUNDS => work.send_again(suspect.item),
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

    /// Keeps of what each question found only the copies that are the same event. Returns the copies that are another
    /// one, of those questions of which none is the same.
    ///
    /// # Errors
    /// [`Obstacle`], when it is not found out for all of them.
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

    /// Makes dead letters of `conflicts`.
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

fn index_of(table: &Table, number: usize) -> Arc<str> {
    Arc::clone(&table.backing()[number].name)
}

#[cfg(test)]
mod tests;
