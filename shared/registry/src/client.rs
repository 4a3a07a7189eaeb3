//! Calls to the registry, without a cache.

use std::collections::HashSet;
use std::sync::Arc;

use prometheus::HistogramVec;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::nodes::Nodes;
use super::raw_client::escape;
use super::{RegisteredSchema, RegistryError, RegistrySetupError};
use crate::wire::SchemaId;
use avro::Schema;

/// The most other schemas that one schema may refer to, directly and indirectly.
const MAX_REFERENCES: usize = 100;

/// The registry's name for the type of a schema that is Avro.
const AVRO: &str = "AVRO";

/// The highest id that a registry can issue: registries and their serializers count ids as signed numbers of 32 bits.
const MAX_ID: u32 = i32::MAX.cast_unsigned();

pub(super) struct Client {
    nodes: Nodes,
}

/// A schema as returned by the registry.
pub(super) struct FoundSchema {
    pub(super) registered: RegisteredSchema,
    pub(super) texts: Texts,
}

/// A schema in an answer of the registry.
#[derive(Deserialize)]
struct SchemaAnswer {
    schema: String,
    /// Absent: Avro.
    #[serde(rename = "schemaType")]
    schema_type: Option<String>,
    references: Option<Vec<Reference>>,
}

/// A version of a subject in an answer of the registry.
#[derive(Deserialize)]
struct VersionAnswer {
    id: u32,
    #[serde(flatten)]
    schema: SchemaAnswer,
}

/// The answer to a registration.
#[derive(Deserialize)]
struct RegistrationAnswer {
    id: u32,
}

/// A version that a schema refers to.
#[derive(Deserialize)]
struct Reference {
    subject: String,
    version: u32,
}

/// A version of a subject, from the registry's list of versions that have a schema.
#[derive(Deserialize)]
struct SubjectVersion {
    subject: String,
}

/// A schema that another one refers to, as returned by the registry.
#[derive(Deserialize)]
struct ReferencedSchema {
    schema: String,
    references: Option<Vec<Reference>>,
}

/// Holds the texts that a schema is compiled from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Texts {
    pub(super) schema: String,
    /// The schemas that it refers to, directly and indirectly.
    pub(super) references: Vec<String>,
}

impl Texts {
    /// Compiles the schema.
    ///
    /// # Errors
    /// A message, if the text is not a usable Avro schema.
    pub(super) fn compile(&self) -> Result<Arc<Schema>, String> {
        let references: Vec<&str> = self.references.iter().map(String::as_str).collect();
        let schema = Schema::parse_with_references(&self.schema, &references);
        schema.map(Arc::new).map_err(|error| error.to_string())
    }
}

impl Client {
    pub(super) fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        Ok(Self { nodes: Nodes::new(config)? })
    }

    /// Returns the client with its requests measured in `durations`.
    pub(super) fn measured(self, durations: HistogramVec) -> Self {
        Self { nodes: self.nodes.measured(durations) }
    }

    /// Returns the addresses, for messages.
    pub(super) fn url(&self) -> &str {
        self.nodes.urls()
    }

    /// Checks that a registry can have issued `id`. A request for any other id gets a 404 that is not about schemas:
    /// for Confluent's registry, the path does not exist.
    ///
    /// # Errors
    /// `NotFound`.
    pub(super) fn ensure_possible(&self, id: SchemaId) -> Result<(), RegistryError> {
        if id.0 <= MAX_ID {
            return Ok(());
        }
        Err(RegistryError::NotFound { url: self.url().to_owned(), what: format!("schema id {id}") })
    }

    pub(super) async fn by_id(&self, id: SchemaId) -> Result<FoundSchema, RegistryError> {
        let what = format!("schema id {id}");
        // Includes deleted schemas: old records are read with them.
        let answer = self.nodes.get(&what, &format!("/schemas/ids/{id}?deleted=true")).await?;
        self.compile(id, answer, &what).await
    }

    pub(super) async fn latest(&self, subject: &str) -> Result<FoundSchema, RegistryError> {
        self.subject_schema(subject, "latest", format!("subject {subject}")).await
    }

    pub(super) async fn version(&self, subject: &str, version: u32) -> Result<FoundSchema, RegistryError> {
        let what = format!("version {version} of subject {subject}");
        self.subject_schema(subject, &version.to_string(), what).await
    }

    /// Returns the numbers of all versions of `subject`.
    pub(super) async fn versions(&self, subject: &str) -> Result<Vec<u32>, RegistryError> {
        self.nodes.get(&format!("subject {subject}"), &format!("/subjects/{}/versions", escape(subject))).await
    }

    /// Returns the subjects that have the schema of `id`, including deleted versions.
    pub(super) async fn subjects_of(&self, id: SchemaId) -> Result<Vec<String>, RegistryError> {
        let path = format!("/schemas/ids/{id}/versions?deleted=true");
        let versions: Vec<SubjectVersion> = self.nodes.get(&format!("schema id {id}"), &path).await?;
        Ok(versions.into_iter().map(|version| version.subject).collect())
    }

    async fn subject_schema(&self, subject: &str, version: &str, what: String) -> Result<FoundSchema, RegistryError> {
        let path = format!("/subjects/{}/versions/{version}", escape(subject));
        let VersionAnswer { id, schema } = self.nodes.get(&what, &path).await?;
        self.compile(SchemaId(id), schema, &what).await
    }

    pub(super) async fn register(&self, subject: &str, schema: &str) -> Result<SchemaId, RegistryError> {
        let what = format!("the schema to register under subject {subject}");
        let path = format!("/subjects/{}/versions", escape(subject));
        let body = json!({"schema": schema, "schemaType": AVRO});
        let answer: Result<RegistrationAnswer, String> = self.nodes.post(&what, &path, &body).await?;
        let registered = answer.map_err(|reason| RegistryError::unavailable(self.url(), &what, reason))?;
        Ok(SchemaId(registered.id))
    }

    async fn compile(&self, id: SchemaId, answer: SchemaAnswer, what: &str) -> Result<FoundSchema, RegistryError> {
        if let Some(other) = answer.schema_type.filter(|schema_type| schema_type != AVRO) {
            return Err(self.unusable(what, format!("it is of the type {other}")));
        }
        let references = self.references(answer.references.unwrap_or_default(), what).await?;
        let texts = Texts { schema: answer.schema, references };
        match texts.compile() {
            Ok(schema) => Ok(FoundSchema { registered: RegisteredSchema { id, schema }, texts }),
            Err(reason) => Err(self.unusable(what, reason)),
        }
    }

    /// Returns the texts of the schemas that these references lead to, directly and indirectly, each once. The order is
    /// depth first: a reference, its own references, then the next reference. So if several define a name, the first
    /// definition is the one that Confluent's clients take.
    async fn references(&self, mut left: Vec<Reference>, what: &str) -> Result<Vec<String>, RegistryError> {
        let mut seen: HashSet<(String, u32)> = HashSet::new();
        let mut texts = Vec::new();
        // The last element is taken next.
        left.reverse();
        while let Some(reference) = left.pop() {
            if !seen.insert((reference.subject.clone(), reference.version)) {
                continue;
            }
            if seen.len() > MAX_REFERENCES {
                return Err(self.unusable(what, format!("it refers to more than {MAX_REFERENCES} other schemas")));
            }
            let Reference { subject, version } = &reference;
            let name = format!("subject {subject} version {version}, which {what} refers to");
            // Includes deleted versions: old records are read with the schema that refers to them.
            let path = format!("/subjects/{}/versions/{version}?deleted=true", escape(subject));
            let found: ReferencedSchema = self.nodes.get(&name, &path).await.map_err(RegistryError::of_reference)?;
            left.extend(found.references.unwrap_or_default().into_iter().rev());
            texts.push(found.schema);
        }
        Ok(texts)
    }

    fn unusable(&self, what: &str, reason: String) -> RegistryError {
        RegistryError::Unusable { url: self.url().to_owned(), what: what.to_owned(), reason }
    }
}
