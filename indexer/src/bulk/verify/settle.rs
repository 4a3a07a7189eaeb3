//! What becomes of documents whose id is taken.

use super::*;
use crate::bulk::look_up::Question;
use crate::bulk::outcome::Refusal;
use crate::bulk::work::{Progress, Work};
use crate::placement::Table;

/// `error_type` of the dead letter.
const ID_CONFLICT: &str = "id-conflict";
/// How often a document may be gone when it is looked at, and there again when it is written. After that it counts as a
/// duplicate that cannot be proven: a role that may not see it (document-level security) would make it go round without
/// end.
const MAX_ROUNDS: u8 = 3;

impl Verify {
    /// Looks at what is stored under the ids of `suspects`: the same event is a duplicate, another one makes a dead
    /// letter, and what is gone is sent again.
    pub(in crate::bulk) async fn settle(&self, work: &mut Work<'_>, batch: &Batch, suspects: Vec<Suspect>) -> Progress {
        let mut progress = Progress::default();
        let verdicts = match self.prove(batch, &suspects).await {
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
                    self.count(proof, 1);
                    work.settle_duplicate(&mut progress);
                }
                Verdict::Gone if work.rounds(suspect.item) < MAX_ROUNDS => work.send_again(suspect.item),
                Verdict::Gone => {
                    self.count(Proof::None, 1);
                    work.settle_duplicate(&mut progress);
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
    pub(in crate::bulk) async fn sift(
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
        let mut verdicts = self.prove(batch, &suspects).await?.into_iter();
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
                self.count(*proof, 1);
            } else if let Some((number, ingested_at)) = other {
                let suspect = Suspect { item: question.item, index: index_of(table, number) };
                conflicts.push((suspect, ingested_at));
            }
            question.found = same.into_iter().map(|(number, _)| number).collect();
        }
        Ok(conflicts)
    }

    /// Makes dead letters of `conflicts`.
    pub(in crate::bulk) fn refuse(
        &self,
        work: &mut Work<'_>,
        batch: &Batch,
        conflicts: Conflicts,
        progress: &mut Progress,
    ) {
        let Some((first, _)) = conflicts.first() else { return };
        let count = conflicts.len() as u64;
        self.metrics.conflicts.with_label_values(&[&self.topic]).inc_by(count);
        if let Some(conflicts) = self.may_log(count) {
            let origin = &batch.items[first.item].origin;
            tracing::error!(
                topic = self.topic,
                conflicts,
                partition = origin.partition.0,
                offset = origin.offset.0,
                request_id = batch.request_id(origin),
                index = %first.index,
                "Events have the id of another event that is already indexed; they become dead letters (id-conflict). \
                 See \"The scope of an id\" in docs/ids.md. This is logged at most once a minute."
            );
        }
        for (suspect, ingested_at) in conflicts {
            let refusal = self.refusal(batch, &suspect, ingested_at.as_deref());
            work.conflict(suspect.item, refusal, progress);
        }
    }

    /// Names both events; never a value of a field.
    fn refusal(&self, batch: &Batch, suspect: &Suspect, ingested_at: Option<&str>) -> Refusal {
        let item = &batch.items[suspect.item];
        let origin = &item.origin;
        let id = String::from_utf8_lossy(stored::id(&batch.body[item.body.clone()]));
        let timestamp = origin.timestamp.map_or_else(|| "no timestamp".to_owned(), timestamp);
        let ingested_at = ingested_at.map_or("no _ingested_at", |at| &at[..at.floor_char_boundary(MAX_SHOWN)]);
        let reason = format!(
            "the record {}-{}@{} of {timestamp} and the document {id} in {} of {ingested_at} are two events with one \
             id; see \"The scope of an id\" in docs/ids.md",
            self.topic, origin.partition, origin.offset, suspect.index,
        );
        Refusal { status: 409, error_type: ID_CONFLICT.to_owned(), reason, in_failure_store: false }
    }

    fn count(&self, proof: Proof, documents: u64) {
        self.metrics.duplicates.with_label_values(&[proof.as_str()]).inc_by(documents);
    }
}

/// Documents whose id another event has, with the `_ingested_at` of what is stored.
pub(in crate::bulk) type Conflicts = Vec<(Suspect, Option<String>)>;

/// Bytes of a stored `_ingested_at` in a message; that of ours has 24.
const MAX_SHOWN: usize = 40;

fn index_of(table: &Table, number: usize) -> Arc<str> {
    Arc::clone(&table.backing()[number].name)
}

fn timestamp(millis: i64) -> String {
    let mut json = Vec::with_capacity(32);
    avro::write_timestamp_millis(millis, &mut json);
    String::from_utf8_lossy(&json).trim_matches('"').to_owned()
}
