//! `penstock-indexer find`: searches for an event in Kafka, in the dead-letter topic, in the quarantine and in every
//! backing index, and reports what each contains. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::exit::Exit;
use super::log::LogError;
use super::output::Output;
use super::times::{self, Moment, moment};
use crate::config::Config;
use crate::elasticsearch::Client;
use crate::elasticsearch::SettingsError;
use search::FoundRecords;
use story::{Document, Story};
use wanted::Wanted;

mod partitioner;
mod search;
mod stored;
pub mod story;
mod wanted;

/// Searches for one event and reports where it is. Exits with 0 if it is found, and with 1 if not.
#[derive(Debug, Args)]
#[command(after_help = "Example: penstock-indexer find 7f0c1f9e-6d5b-4e0f-9d0e-0a4f5c0e8a11\n\
    Example: penstock-indexer find --request-id 01J9Z3 --since 3d")]
pub struct FindArgs {
    /// The event's id: the `_id` of its document, or the id that its sender gave it.
    #[arg(value_name = "ID", required_unless_present_any = ["key", "request_id"])]
    id: Option<String>,
    /// Search only by the key of its record.
    #[arg(long, conflicts_with_all = ["id", "request_id"])]
    key: Option<String>,
    /// Search by the id of the request that brought it: `X-Request-Id` in the receiver's answer.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    request_id: Option<String>,
    /// The time from which Kafka is searched: 2026-01-31T08:00:00Z, 2026-01-31, or a duration ago. Indices are always
    /// searched completely.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = moment)]
    since: Moment,
    /// Only this topic, if indexer.topics has several.
    #[arg(long)]
    topic: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// Why the search failed.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Kafka cannot be searched.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Elasticsearch's settings cannot be used.
    #[error("elasticsearch: {0}")]
    Elasticsearch(#[from] SettingsError),
    /// The config does not have this topic.
    #[error("the config does not have the topic {0} (kafka.topic, indexer.topics)")]
    Topic(String),
    /// A panic, which is a bug.
    #[error("the command panicked: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// The result of the search.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether anything was found.
    pub found: bool,
    /// The events: several if one request brought several.
    pub events: Vec<Story>,
    /// The time from which Kafka was searched.
    pub since: String,
    /// Whether there was more than is shown.
    pub is_cut: bool,
    /// What could not be searched.
    pub problems: Vec<String>,
}

/// Searches for the event of `args` with `config`, and prints the result.
///
/// # Errors
/// [`FindError`].
pub async fn run(config: Config, args: FindArgs) -> Result<Exit, FindError> {
    let wanted = match (args.id, args.key, args.request_id) {
        (_, Some(key), _) => Wanted::Key(key),
        (_, _, Some(request)) => Wanted::Request(request),
        (id, None, None) => Wanted::Id(id.unwrap_or_default()),
    };
    let topics = topics(&config, args.topic)?;
    let client = Arc::new(Client::new(&config.elasticsearch)?);
    let mut report = Report {
        found: false,
        events: Vec::new(),
        since: times::text(args.since.0),
        is_cut: false,
        problems: Vec::new(),
    };
    let (since, of_search, of_config) = (args.since, wanted.clone(), config.clone());
    let search = move || search::letters(&of_config, &of_search, since);
    let (letters, mut problems) = tokio::task::spawn_blocking(search).await??;
    report.problems.append(&mut problems);
    let mut letters = Some(letters);
    for topic in topics {
        let (of_search, of_config) = (wanted.clone(), topic.clone());
        let search = move || search::records(&of_config, &of_search, since);
        let mut found = tokio::task::spawn_blocking(search).await??;
        // Letters name their topic. Bodies in the quarantine have none, and are reported once.
        found.take_letters(&topic.kafka.topic, &mut letters);
        report.is_cut |= found.is_cut;
        add_documents(&client, &topic, &wanted, found, &mut report).await;
    }
    report.found = !report.events.is_empty();
    args.output.print(&report);
    Ok(if report.found { Exit::Done } else { Exit::Failed })
}

fn topics(config: &Config, only: Option<String>) -> Result<Vec<Config>, FindError> {
    let mut topics = config.of_topics();
    if let Some(only) = only {
        topics.retain(|config| config.kafka.topic == only);
        if topics.is_empty() {
            return Err(FindError::Topic(only));
        }
    }
    Ok(topics)
}

/// Combines what was `found` in Kafka with the documents of its ids.
async fn add_documents(client: &Client, config: &Config, wanted: &Wanted, found: FoundRecords, report: &mut Report) {
    let mut ids: BTreeSet<String> = found.ids().collect();
    if let Wanted::Id(id) | Wanted::Key(id) = wanted {
        ids.insert(id.clone());
    }
    let list: Vec<String> = ids.iter().cloned().collect();
    let mut documents: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    for index in config.elasticsearch.index_names() {
        match stored::documents(client, index, &list).await {
            Ok(found) => {
                found.documents.into_iter().for_each(|(id, found)| documents.entry(id).or_default().extend(found));
                report.problems.extend(found.problems);
            }
            Err(problem) => report.problems.push(problem),
        }
    }
    let FoundRecords { mut records, mut letters, .. } = found;
    for id in ids {
        let records = records.remove(&id).unwrap_or_default();
        let documents = documents.remove(&id).unwrap_or_default();
        let letters = letters.remove(&id).unwrap_or_default();
        if !records.is_empty() || !documents.is_empty() || !letters.is_empty() {
            report.events.push(Story::new(id, records, documents, letters));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.events.iter().map(Story::to_string).collect();
        if lines.is_empty() {
            let since = &self.since;
            lines.push(format!(
                "not found: no index has it, and neither Kafka's topics nor dead letters nor the quarantine have had it since {since}. Look \
                 further back with --since. If it is still not found, its sender has not sent it, or was not answered 200"
            ));
        }
        if self.is_cut {
            lines.push("There are more records of it than are shown.".to_owned());
        }
        lines.extend(self.problems.iter().map(|problem| format!("not searched: {problem}")));
        f.write_str(&lines.join("\n"))
    }
}
