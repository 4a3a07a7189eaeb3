//! Requests to the registry that only pulls need: the schemas of a subject as registered, and whether a new schema
//! would be compatible (Confluent Schema Registry API reference).

use std::str::FromStr;

use registry::wire::SchemaId;
use registry::{RawClient, RegistrySetupError, escape};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::causes::with_causes;
use service::http;

/// The media type of Confluent's API.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// The most bytes of an answer.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// The most messages of the registry that an error repeats, and the most bytes of each.
const MAX_MESSAGES: usize = 20;
const MAX_MESSAGE: usize = 500;

/// A client of the registry's subjects. It caches nothing.
#[derive(Debug)]
pub(crate) struct Subjects {
    registry: RawClient,
}

/// A version of a subject, as registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// The version number.
    pub(crate) version: u32,
    /// The schema id in frames.
    pub(crate) id: SchemaId,
    /// The schema's text.
    pub(crate) text: String,
    /// The schemas that it refers to.
    pub(crate) references: Vec<Reference>,
}

/// A schema that another schema refers to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Reference {
    /// The name under which the schema refers to it, usually the full name of a type.
    pub name: String,
    /// The subject.
    pub subject: String,
    /// The version of the subject.
    pub version: u32,
}

/// The most schemas that one schema may refer to, directly and indirectly.
const MAX_REFERENCES: usize = 100;

/// Says why the registry gives no usable answer. Holds neither user nor password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schema registry at {url} cannot provide {what}: {reason}")]
pub struct SubjectsError {
    /// The registry.
    pub url: String,
    /// What was requested, such as `subject x`.
    pub what: String,
    /// What happened.
    pub reason: String,
    /// The status of the registry's answer, if there was one.
    pub status: Option<u16>,
}

#[derive(Deserialize)]
struct VersionAnswer {
    version: u32,
    id: u32,
    schema: String,
    /// Some registries send null if there are none.
    references: Option<Vec<Reference>>,
}

#[derive(Deserialize)]
struct Compatibility {
    is_compatible: bool,
    messages: Option<Vec<String>>,
}

impl FromStr for Reference {
    type Err = String;

    /// Reads `NAME=SUBJECT:VERSION`. A subject may hold colons and equals signs of its own.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(name, rest)| Some((name, rest.rsplit_once(':')?)));
        match parts.map(|(name, (subject, version))| (name, subject, version.parse())) {
            Some((name, subject, Ok(version))) if !name.is_empty() && !subject.is_empty() => {
                Ok(Self { name: name.to_owned(), subject: subject.to_owned(), version })
            }
            _ => Err("must be NAME=SUBJECT:VERSION, such as com.example.Address=address-value:1".to_owned()),
        }
    }
}

impl Subjects {
    /// Creates a client for the registry of the config. It connects on the first request.
    ///
    /// # Errors
    /// When the registry's settings cannot be used.
    pub(crate) fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        Ok(Self { registry: RawClient::new(config)? })
    }

    /// Returns the latest version of `subject`; `None` if there is no such subject.
    ///
    /// # Errors
    /// [`SubjectsError`].
    pub(crate) async fn latest(&self, subject: &str) -> Result<Option<Version>, SubjectsError> {
        let what = format!("subject {subject}");
        let path = format!("/subjects/{}/versions/latest", escape(subject));
        let Some(answer) = self.ask(Method::GET, &path, None, &what).await? else { return Ok(None) };
        let VersionAnswer { version, id, schema, references } = self.read(&answer, &what)?;
        let references = references.unwrap_or_default();
        Ok(Some(Version { version, id: SchemaId(id), text: schema, references }))
    }

    /// Returns the texts of the schemas that `references` lead to, directly and indirectly, without duplicates.
    ///
    /// # Errors
    /// [`SubjectsError`], also when a referenced schema is missing, or there are more than 100.
    pub(crate) async fn referenced(&self, references: &[Reference]) -> Result<Vec<String>, SubjectsError> {
        let (mut left, mut seen, mut texts) = (references.to_vec(), Vec::new(), Vec::new());
        // `pop` takes them from the end.
        left.reverse();
        while let Some(reference) = left.pop() {
            if seen.contains(&reference) {
                continue;
            }
            let what = format!("subject {} version {}", reference.subject, reference.version);
            if seen.len() == MAX_REFERENCES {
                return Err(self.error(&what, format!("there are more than {MAX_REFERENCES} references")));
            }
            let path = format!("/subjects/{}/versions/{}", escape(&reference.subject), reference.version);
            let answer = self.ask(Method::GET, &path, None, &what).await?;
            let missing = "the registry does not have this version, which the schema refers to";
            let answer = answer.ok_or_else(|| self.error(&what, missing.to_owned()))?;
            let answer: VersionAnswer = self.read(&answer, &what)?;
            left.extend(answer.references.unwrap_or_default().into_iter().rev());
            texts.push(answer.schema);
            seen.push(reference);
        }
        Ok(texts)
    }

    /// Returns the text of schema `id`; `None` if there is no such id.
    ///
    /// # Errors
    /// [`SubjectsError`].
    pub(crate) async fn text(&self, id: SchemaId) -> Result<Option<String>, SubjectsError> {
        let what = format!("schema id {id}");
        let path = format!("/schemas/ids/{id}");
        let Some(answer) = self.ask(Method::GET, &path, None, &what).await? else { return Ok(None) };
        let answer: Value = self.read(&answer, &what)?;
        match answer.get("schema").and_then(Value::as_str) {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.error(&what, "the answer holds no schema".to_owned())),
        }
    }

    /// Asks whether `schema` with its `references` can become the next version of `subject`, by the subject's
    /// compatibility level. Returns the registry's reasons if it cannot; they are empty if the registry gives none.
    /// Returns `None` if it can, also when there is no version yet.
    ///
    /// # Errors
    /// [`SubjectsError`].
    pub(crate) async fn incompatible(
        &self,
        subject: &str,
        schema: &str,
        references: &[Reference],
    ) -> Result<Option<Vec<String>>, SubjectsError> {
        let what = format!("the compatibility with subject {subject}");
        let path = format!("/compatibility/subjects/{}/versions/latest?verbose=true", escape(subject));
        let body = json!({"schema": schema, "references": references}).to_string();
        let Some(answer) = self.ask(Method::POST, &path, Some(&body), &what).await? else { return Ok(None) };
        let answer: Compatibility = self.read(&answer, &what)?;
        let messages = answer.messages.unwrap_or_default();
        let messages = || messages.iter().take(MAX_MESSAGES).map(|message| short(message).to_owned()).collect();
        Ok((!answer.is_compatible).then(messages))
    }

    /// Returns the body of the answer, or `None` if the registry says that it has no such thing.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        what: &str,
    ) -> Result<Option<Vec<u8>>, SubjectsError> {
        let failed = |error: reqwest::Error| self.error(what, with_causes(&error.without_url()));
        let finish = |request: RequestBuilder| {
            let request = request.header(ACCEPT, MEDIA_TYPE);
            match body {
                None => request,
                Some(body) => request.header(CONTENT_TYPE, MEDIA_TYPE).body(body.to_owned()),
            }
        };
        let mut response = self.registry.send(method, path, finish).await.map_err(failed)?;
        let Some(body) = http::body(&mut response, MAX_ANSWER).await.map_err(failed)? else {
            return Err(self.error(what, format!("the answer is over {MAX_ANSWER} bytes")));
        };
        let status = response.status();
        if status.is_success() {
            return Ok(Some(body));
        }
        // A 404 without the registry's own code comes from a proxy in front of it.
        let said: Option<Value> = serde_json::from_slice(&body).ok();
        let code = said.as_ref().and_then(|said| said.get("error_code")).and_then(Value::as_u64);
        if status == StatusCode::NOT_FOUND && matches!(code, Some(40401..=40403)) {
            return Ok(None);
        }
        let message = said.as_ref().and_then(|said| said.get("message")).and_then(Value::as_str).unwrap_or_default();
        let error = self.error(what, format!("it answered {status}: {}", short(message)));
        Err(SubjectsError { status: Some(status.as_u16()), ..error })
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, body: &[u8], what: &str) -> Result<T, SubjectsError> {
        serde_json::from_slice(body).map_err(|error| self.error(what, format!("its answer cannot be read: {error}")))
    }

    fn error(&self, what: &str, reason: String) -> SubjectsError {
        SubjectsError { url: self.registry.urls().to_owned(), what: what.to_owned(), reason, status: None }
    }
}

fn short(message: &str) -> &str {
    &message[..message.floor_char_boundary(MAX_MESSAGE)]
}

#[cfg(test)]
mod tests;
