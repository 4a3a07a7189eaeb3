//! The outcome of every event, looked up in Elasticsearch by id.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::job::Done;
use super::setup::Demo;

/// The number of ids per request.
const CHUNK: usize = 4_000;

/// Counts the outcomes of all events.
#[derive(Clone, Debug, Default)]
pub struct Report {
    sent: u64,
    acknowledged: u64,
    refused: BTreeMap<u16, u64>,
    flawed: u64,
    indexed: u64,
    dead_lettered: u64,
    /// Events acknowledged, but neither indexed nor dead-lettered.
    lost: u64,
    repeated: u64,
    /// Events refused, but indexed nevertheless.
    strange: u64,
    sending: Duration,
    settled_after: Duration,
}

impl Report {
    /// Looks up every event.
    pub(super) async fn of(demo: &Demo, done: &Done) -> anyhow::Result<Self> {
        let outcome = &done.outcome;
        let mut report = Self {
            sent: done.count,
            acknowledged: outcome.acknowledged.len() as u64,
            flawed: (0..done.count).filter(|number| done.mix.flaw(*number).is_some()).count() as u64,
            sending: outcome.elapsed,
            settled_after: done.settled_after,
            ..Self::default()
        };
        for status in outcome.refused.values() {
            *report.refused.entry(*status).or_default() += 1;
        }
        let dead_letters = demo.kafka.count(&demo.config.kafka.dead_letter_topic).await?;
        report.dead_lettered = dead_letters.saturating_sub(done.dead_letters_before);

        let index = &demo.config.elasticsearch.index_name;
        demo.search.refresh(index).await?;
        for numbers in outcome.acknowledged.chunks(CHUNK) {
            let ids: Vec<String> = numbers.iter().map(|number| done.mix.events.id(*number)).collect();
            let found = demo.search.documents_of(index, &ids).await?;
            report.indexed += found.len() as u64;
            report.repeated += found.values().filter(|count| **count > 1).count() as u64;
        }
        let refused: Vec<String> = outcome.refused.keys().map(|number| done.mix.events.id(*number)).collect();
        for ids in refused.chunks(CHUNK) {
            report.strange += demo.search.documents_of(index, ids).await?.len() as u64;
        }
        report.lost = report.acknowledged.saturating_sub(report.indexed + report.dead_lettered);
        Ok(report)
    }

    fn rate(&self, duration: Duration) -> f64 {
        self.sent as f64 / duration.as_secs_f64().max(f64::EPSILON)
    }

    /// Fails unless every event is where it must be.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn ensure_good(&self) -> anyhow::Result<()> {
        let refused: u64 = self.refused.values().sum();
        anyhow::ensure!(
            self.lost + self.repeated + self.strange == 0,
            "{} lost, {} there more than once, {} there although refused",
            self.lost,
            self.repeated,
            self.strange
        );
        anyhow::ensure!(
            refused + self.dead_lettered == self.flawed,
            "{refused} refused and {} dead letters, but {} events were bad on purpose",
            self.dead_lettered,
            self.flawed
        );
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused: Vec<String> = self.refused.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        let rows = [
            ("sent", self.sent, format!("{} of them bad on purpose", self.flawed)),
            ("acknowledged", self.acknowledged, format!("200, at {:.0} a second", self.rate(self.sending))),
            ("refused", self.refused.values().sum(), refused.join(", ")),
            (
                "indexed",
                self.indexed,
                format!("found by id; all settled after {:.1} s", self.settled_after.as_secs_f64()),
            ),
            ("dead-lettered", self.dead_lettered, "Elasticsearch refused the document".to_owned()),
            ("lost", self.lost, "acknowledged, but missing".to_owned()),
            ("twice", self.repeated, "more than one document of one event".to_owned()),
            ("smuggled in", self.strange, "refused, but indexed".to_owned()),
        ];
        writeln!(f, "  {:<14}{:>10}", "", "events")?;
        for (what, count, note) in rows {
            let line = format!("  {what:<14}{count:>10}   {note}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
