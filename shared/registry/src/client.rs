//! Calls to the registry, without a cache.

use std::collections::HashSet;
use std::sync::Arc;

use prometheus::HistogramVec;
use schema_registry_converter::async_impl::schema_registry::{
    get_all_versions, get_schema_by_id, get_schema_by_subject_and_version, post_schema,
};
use schema_registry_converter::schema_registry_common::{
    RegisteredReference, RegisteredSchema as RegistryAnswer, SchemaType, SuppliedSchema,
};
use serde::{Deserialize, Serialize};

use super::error::not_permitted;
use super::nodes::Nodes;
use super::raw_client::escape;
use super::{RegisteredSchema, RegistryError, RegistrySetupError};
use crate::wire::SchemaId;
use avro::Schema;

/// The most other schemas that one schema may refer to, directly and indirectly.
const MAX_REFERENCES: usize = 100;

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

/// A version of a subject, from the registry's list of versions that have a schema.
#[derive(Deserialize)]
struct SubjectVersion {
    subject: String,
}

/// A schema that another one refers to, as returned by the registry.
#[derive(Deserialize)]
struct ReferencedSchema {
    schema: String,
    references: Option<Vec<RegisteredReference>>,
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
        let call = |settings| async move { get_schema_by_id(id.0, &settings).await };
        let answer = self.nodes.ask(&what, call).await?;
        self.compile(id, answer, &what).await
    }

    pub(super) async fn latest(&self, subject: &str) -> Result<FoundSchema, RegistryError> {
        self.subject_schema(subject, None, format!("subject {subject}")).await
    }

    pub(super) async fn version(&self, subject: &str, version: u32) -> Result<FoundSchema, RegistryError> {
        self.subject_schema(subject, Some(version), format!("version {version} of subject {subject}")).await
    }

    /// Returns the numbers of all versions of `subject`.
    pub(super) async fn versions(&self, subject: &str) -> Result<Vec<u32>, RegistryError> {
        let name = escape(subject);
        let call = |settings| {
            let name = name.clone();
            async move { get_all_versions(&settings, name).await }
        };
        self.nodes.ask(&format!("subject {subject}"), call).await
    }

    /// Returns the subjects that have the schema of `id`, including deleted versions.
    pub(super) async fn subjects_of(&self, id: SchemaId) -> Result<Vec<String>, RegistryError> {
        let path = format!("/schemas/ids/{id}/versions?deleted=true");
        let versions: Vec<SubjectVersion> = self.nodes.get(&format!("schema id {id}"), &path).await?;
        Ok(versions.into_iter().map(|version| version.subject).collect())
    }

    async fn subject_schema(
        &self,
        subject: &str,
        version: Option<u32>,
        what: String,
    ) -> Result<FoundSchema, RegistryError> {
        let name = escape(subject);
        let call = |settings| {
            let name = name.clone();
            async move { get_schema_by_subject_and_version(&settings, &name, version).await }
        };
        let answer = self.nodes.ask(&what, call).await?;
        self.compile(SchemaId(answer.id), answer, &what).await
    }

    pub(super) async fn register(&self, subject: &str, schema: &str) -> Result<SchemaId, RegistryError> {
        let name = escape(subject);
        let supplied = SuppliedSchema::new(None, SchemaType::Avro, schema.to_owned());
        let what = format!("the schema to register under subject {subject}");
        let call = |settings| {
            let (name, supplied) = (name.clone(), supplied.clone());
            async move {
                match post_schema(&settings, name, supplied).await {
                    Ok(answer) => Ok(Ok(SchemaId(answer.id))),
                    // The address works, and the others have the same mode.
                    Err(error) => not_permitted(&error).map(Err).ok_or(error),
                }
            }
        };
        let answer = self.nodes.ask(&what, call).await?;
        answer.map_err(|reason| RegistryError::unavailable(self.url(), &what, reason))
    }

    async fn compile(&self, id: SchemaId, answer: RegistryAnswer, what: &str) -> Result<FoundSchema, RegistryError> {
        if answer.schema_type != SchemaType::Avro {
            return Err(self.unusable(what, format!("it is of the type {:?}", answer.schema_type)));
        }
        let references = self.references(answer.references, what).await?;
        let texts = Texts { schema: answer.schema, references };
        match texts.compile() {
            Ok(schema) => Ok(FoundSchema { registered: RegisteredSchema { id, schema }, texts }),
            Err(reason) => Err(self.unusable(what, reason)),
        }
    }

    /// Returns the texts of the schemas that these references lead to, directly and indirectly, each once. The order is
    /// depth first: a reference, its own references, then the next reference. So if several define a name, the first
    /// definition is the one that Confluent's clients take.
    async fn references(&self, mut left: Vec<RegisteredReference>, what: &str) -> Result<Vec<String>, RegistryError> {
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
            let RegisteredReference { subject, version, .. } = &reference;
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
