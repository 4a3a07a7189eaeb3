//! The commands `schema pull`, `schema show` and `schema check`, for people and scripts. They need no running receiver.

use std::fmt;
use std::path::{Path, PathBuf};

use avro::Schema;
use clap::Subcommand;
use registry::wire::SchemaId;
use registry::{RegistrySetupError, SchemaRegistry};

use crate::config::Config;
use crate::cxone::compatibility::refusal;
use crate::cxone::pull::{PullError, Pulled, Puller};
use crate::cxone::subjects::{Reference, Subjects, SubjectsError};
use crate::cxone::{Cxone, CxoneError};

mod offending_field;

/// The status with which a registry refuses a schema that it cannot read (Confluent's API, "Errors", 42201).
const UNPROCESSABLE: u16 = 422;

/// The `schema` commands. They exit with 0 on success, with 1 when they fail or refuse the schema, and with 78 when the
/// config cannot be used.
#[derive(Clone, Debug, Subcommand)]
pub enum SchemaCommand {
    /// Fetches the latest schema from CXone, checks that it is compatible, and registers it.
    ///
    /// Prints the result for each subject, with version and schema id. If a schema is not compatible by the registry's
    /// rules, it is not registered, and the command exits with 1. Needs the section `cxone` of the config.
    Pull {
        /// The subject. Default: the subjects in cxone.subjects, else those of all sources.
        #[arg(long)]
        subject: Option<String>,
        /// Only prints what would be registered.
        #[arg(long)]
        dry_run: bool,
    },
    /// Prints a schema as the registry has it.
    Show {
        /// The subject, whose latest version is printed. Default: the only subject of the config.
        #[arg(long, conflicts_with = "id")]
        subject: Option<String>,
        /// The schema id.
        #[arg(long)]
        id: Option<u32>,
    },
    /// Checks a schema in a file: whether it is usable, and whether it is compatible with the registry's latest
    /// version.
    ///
    /// Looks up types that the schema uses but does not define in the schemas that --reference names, or else in those
    /// that the latest version of the subject refers to. Also checks the key fields of the sources. If the schema is
    /// unusable, names the field and exits with 1.
    Check {
        /// The schema, as JSON (.avsc).
        file: PathBuf,
        /// The subject to compare with. Default: the only subject of the config; with several, nothing is compared.
        #[arg(long)]
        subject: Option<String>,
        /// A schema in the registry that the file refers to, once for each: `com.example.Address=address-value:1`.
        #[arg(long = "reference", value_name = "NAME=SUBJECT:VERSION")]
        references: Vec<Reference>,
    },
}

/// Says why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum SchemaCommandError {
    /// The section `cxone` cannot be used.
    #[error(transparent)]
    Cxone(#[from] CxoneError),
    /// Nothing was pulled.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// A request to the registry failed.
    #[error(transparent)]
    Subjects(#[from] SubjectsError),
    /// The registry of the config cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistrySetupError),
    /// Any other failure, in words.
    #[error("{0}")]
    Refused(String),
}

/// The lines that a command prints. They also report the subjects that succeeded before a failure.
struct Said(Vec<String>);

/// Runs `command` and returns the text to print.
///
/// # Errors
/// [`SchemaCommandError`], in words for people.
pub async fn run(config: &Config, command: SchemaCommand) -> Result<String, SchemaCommandError> {
    match command {
        SchemaCommand::Pull { subject, dry_run } => pull(config, subject, dry_run).await,
        SchemaCommand::Show { subject, id } => show(config, subject, id).await,
        SchemaCommand::Check { file, subject, references } => check(config, &file, subject, references).await,
    }
}

async fn pull(config: &Config, subject: Option<String>, dry_run: bool) -> Result<String, SchemaCommandError> {
    let registry = SchemaRegistry::new(&config.schema_registry)?;
    let puller = Puller::new(Cxone::new(&config.cxone)?, Subjects::new(&config.schema_registry)?, registry);
    let subjects = subject.map_or_else(|| config.cxone_subjects(), |subject| vec![subject]);
    let (mut said, mut failed) = (Said(Vec::new()), Vec::new());
    for subject in &subjects {
        match puller.pull(subject, dry_run).await {
            Ok(pulled) => said.0.push(format!("{subject}: {}", in_words(&pulled))),
            Err(error) => failed.push(error.to_string()),
        }
    }
    if failed.is_empty() {
        return Ok(said.to_string());
    }
    said.0.extend(failed);
    Err(SchemaCommandError::Refused(said.to_string()))
}

fn in_words(pulled: &Pulled) -> String {
    match pulled {
        Pulled::Unchanged { version, id } => format!("unchanged, version {version}, schema id {id}"),
        Pulled::Registered { version, id, before: None } => {
            format!("registered as the first version, version {version}, schema id {id}")
        }
        Pulled::Registered { version, id, before: Some(before) } => {
            format!("registered, version {version} after {before}, schema id {id}")
        }
        Pulled::Older { id, latest } => {
            format!("unchanged, schema id {id} is an older version; the latest is version {latest}")
        }
        Pulled::New { before: None } => "would be registered as the first version".to_owned(),
        Pulled::New { before: Some(before) } => format!("would be registered after version {before}, is compatible"),
    }
}

async fn show(config: &Config, subject: Option<String>, id: Option<u32>) -> Result<String, SchemaCommandError> {
    let subjects = Subjects::new(&config.schema_registry)?;
    let none = |what: String| SchemaCommandError::Refused(format!("the registry has no {what}"));
    if let Some(id) = id {
        let text = subjects.text(SchemaId(id)).await?.ok_or_else(|| none(format!("schema id {id}")))?;
        return Ok(pretty(&text));
    }
    let subject = match subject {
        Some(subject) => subject,
        None => only_subject(config).ok_or_else(|| {
            SchemaCommandError::Refused(
                "the config has several subjects: name one with --subject, or an id with --id".to_owned(),
            )
        })?,
    };
    let latest = subjects.latest(&subject).await?.ok_or_else(|| none(format!("subject {subject}")))?;
    Ok(pretty(&latest.text))
}

async fn check(
    config: &Config,
    file: &Path,
    subject: Option<String>,
    references: Vec<Reference>,
) -> Result<String, SchemaCommandError> {
    let shown = file.display();
    let refused = |message: String| SchemaCommandError::Refused(format!("{shown}: {message}"));
    let text = std::fs::read_to_string(file).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let subject = subject.or_else(|| only_subject(config));
    let subjects = Subjects::new(&config.schema_registry)?;
    let (schema, references) = compiled(&subjects, subject.as_deref(), &text, references).await.map_err(&refused)?;
    let sources = config.receiver.sources.iter().filter(|(_, source)| subject.as_ref() == Some(&source.subject));
    for (name, source) in sources {
        if let Some(key_field) = &source.key_field
            && let Err(error) = schema.field(key_field)
        {
            return Err(refused(format!("receiver.sources.{name}.key_field: {error}")));
        }
    }
    let name = schema.fullname().unwrap_or("no record").to_owned();
    let Some(subject) = subject else {
        return Ok(format!("{shown}: ok, {name}; not compared with a subject: name one by --subject"));
    };
    let Some(latest) = subjects.latest(&subject).await? else {
        return Ok(format!("{shown}: ok, {name}; it would be the first version of {subject}"));
    };
    let refused_by_registry = match refusal(&subjects, &subject, &latest, &text, &references).await {
        // Apicurio 3 does not resolve references here, although it does when a schema is registered.
        Err(error) if error.status == Some(UNPROCESSABLE) && !references.is_empty() => {
            let version = latest.version;
            return Ok(format!("{shown}: ok, {name}; not compared with version {version} of {subject}: {error}"));
        }
        other => other?,
    };
    match refused_by_registry {
        None => Ok(format!("{shown}: ok, {name}; compatible with version {} of {subject}", latest.version)),
        Some(reason) => Err(refused(format!("not compatible with version {} of {subject}: {reason}", latest.version))),
    }
}

/// Compiles the schema `text` with the schemas that `references` name. Without references, it uses those of the latest
/// version of `subject` if the schema needs some. Returns the schema and the references that were used.
///
/// # Errors
/// What is wrong with the schema, in words, with the field; or why its references cannot be found.
async fn compiled(
    subjects: &Subjects,
    subject: Option<&str>,
    text: &str,
    references: Vec<Reference>,
) -> Result<(Schema, Vec<Reference>), String> {
    let error = match Schema::parse(text) {
        Ok(schema) => return Ok((schema, references)),
        Err(error) => match offending_field::find(text) {
            Some(field) => format!("field {field}: {error}"),
            None => error.to_string(),
        },
    };
    let found = async {
        let references = match (references.is_empty(), subject) {
            (true, Some(subject)) => {
                subjects.latest(subject).await?.map(|latest| latest.references).unwrap_or_default()
            }
            _ => references,
        };
        let texts = subjects.referenced(&references).await?;
        Ok::<_, SubjectsError>((references, texts))
    };
    // The user asked about the schema, so its error comes first.
    let (references, texts) =
        found.await.map_err(|cause| format!("{error}; its references cannot be found: {cause}"))?;
    if references.is_empty() {
        return Err(error);
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let schema = Schema::parse_with_references(text, &texts);
    Ok((schema.map_err(|error| format!("with its references: {error}"))?, references))
}

/// Returns the subject of the config, if there is only one.
fn only_subject(config: &Config) -> Option<String> {
    let mut subjects = config.cxone_subjects();
    if subjects.len() == 1 { subjects.pop() } else { None }
}

/// Returns JSON with line breaks. Returns other text unchanged.
fn pretty(text: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

#[cfg(test)]
mod tests;
