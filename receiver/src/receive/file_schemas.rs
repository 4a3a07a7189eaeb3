//! Finds the schema of an object container file by the meaning of its text, and registers it if the source allows it.

use std::sync::Arc;

use avro::Schema;
use tokio::time::Instant;

use super::registry_schemas::{NOT_AVRO, RegistrySchemas};
use crate::message::Writer;
use crate::reject::{Rejection, SchemaName};
use crate::workers::Workers;

use known_texts::KnownTexts;

mod known_texts;

/// The schemas of one source's files.
pub(super) struct FileSchemas {
    known: KnownTexts,
    /// Whether unknown schemas are registered.
    registers: bool,
    registry: Arc<RegistrySchemas>,
    workers: Workers,
}

impl FileSchemas {
    /// Creates the schemas of a source's files, which come from `registry`. Unknown ones are registered if it
    /// `registers`. Texts are compiled by `workers`.
    pub(super) fn new(registers: bool, registry: Arc<RegistrySchemas>, workers: Workers) -> Self {
        Self { known: KnownTexts::default(), registers, registry, workers }
    }

    /// Returns the schema with this text, see [`Schemas::writer_of_text`](super::schemas::Schemas::writer_of_text).
    pub(super) async fn writer(&self, text: &str, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        if let Some(known) = self.known.get(text).await {
            return known.map_err(|why| Rejection::UnusableSchema(SchemaName::File, why));
        }
        let owned = text.to_owned();
        let Ok(schema) = self.workers.run(deadline, move || Schema::parse(&owned)).await? else {
            self.known.refuse(text, NOT_AVRO).await;
            return Err(Rejection::UnusableSchema(SchemaName::File, NOT_AVRO));
        };
        let found = match self.registry.by_meaning(&schema, deadline).await {
            Err(Rejection::UnknownSchema(_) | Rejection::SchemaPending(_)) if self.registers => {
                self.registry.register(text, schema, deadline).await
            }
            found => found,
        };
        match &found {
            Ok(writer) => self.known.keep(text, writer).await,
            Err(Rejection::UnusableSchema(_, why)) => self.known.refuse(text, why).await,
            Err(_) => {}
        }
        found
    }
}
