//! What a pull asks the registry beyond what the hot path does: the schemas of a subject as they were written, and whether a new one
//! would be compatible (Confluent Schema Registry API reference).

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::config;
use shared::config::SchemaRegistryAuth;
use shared::registry::{authorize, http_client};
use shared::wire::SchemaId;

use super::http::causes;

/// The media type of Confluent's API.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// Bytes of an answer, at most.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// Messages of the registry that are repeated, and characters of each.
const MAX_MESSAGES: usize = 20;
const MAX_MESSAGE: usize = 500;

/// A client of the registry's subjects. Keeps nothing.
#[derive(Clone, Debug)]
pub(crate) struct Subjects {
    client: Client,
    /// Without the user and the password, for messages.
    url: String,
    user: Option<(String, String)>,
    auth: SchemaRegistryAuth,
}

/// A version of a subject, as it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// The number of the version.
    pub(crate) version: u32,
    /// The id that frames carry.
    pub(crate) id: SchemaId,
    /// The schema's text.
    pub(crate) text: String,
}

/// Why the registry gives no answer that can be used. Holds neither user nor password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schema registry at {url} cannot be asked for {what}: {reason}")]
pub struct SubjectsError {
    /// The registry.
    pub url: String,
    /// Such as `subject x`.
    pub what: String,
    /// What happened.
    pub reason: String,
}

#[derive(Deserialize)]
struct VersionAnswer {
    version: u32,
    id: u32,
    schema: String,
}

#[derive(Deserialize)]
struct Compatibility {
    is_compatible: bool,
    #[serde(default)]
    messages: Vec<String>,
}

impl Subjects {
    /// For the registry of the config; the first where there are several. Connects to nothing yet.
    ///
    /// # Errors
    /// When the address is none.
    pub(crate) fn new(config: &config::SchemaRegistry) -> Result<Self, SubjectsError> {
        let error = |reason: String| SubjectsError {
            url: "schema_registry.url".to_owned(),
            what: "anything".to_owned(),
            reason,
        };
        let first = config.url.split(',').next().unwrap_or_default().trim();
        let mut url = Url::parse(first).map_err(|cause| error(format!("not a URL: {cause}")))?;
        // The user of an address is sent as it stands there, without `%` and two digits for a character.
        let user = (!url.username().is_empty())
            .then(|| (unescape(url.username()), unescape(url.password().unwrap_or_default())));
        // Both can be set on every http URL.
        let _set = (url.set_username(""), url.set_password(None));
        let client = http_client(config).map_err(|cause| error(cause.to_string()))?;
        Ok(Self { client, url: url.as_str().trim_end_matches('/').to_owned(), user, auth: config.auth.clone() })
    }

    /// The latest version of `subject`; none when there is no such subject.
    ///
    /// # Errors
    /// [`SubjectsError`].
    pub(crate) async fn latest(&self, subject: &str) -> Result<Option<Version>, SubjectsError> {
        let what = format!("subject {subject}");
        let request = self.client.get(format!("{}/subjects/{}/versions/latest", self.url, escape(subject)));
        let Some(answer) = self.ask(request, &what).await? else { return Ok(None) };
        let answer: VersionAnswer = self.read(&answer, &what)?;
        Ok(Some(Version { version: answer.version, id: SchemaId(answer.id), text: answer.schema }))
    }

    /// The text of schema `id`; none when there is no such id.
    ///
    /// # Errors
    /// [`SubjectsError`].
    pub(crate) async fn text(&self, id: SchemaId) -> Result<Option<String>, SubjectsError> {
        let what = format!("schema id {id}");
        let Some(answer) = self.ask(self.client.get(format!("{}/schemas/ids/{id}", self.url)), &what).await? else {
            return Ok(None);
        };
        let answer: Value = self.read(&answer, &what)?;
        match answer.get("schema").and_then(Value::as_str) {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.error(&what, "the answer holds no schema".to_owned())),
        }
    }

    /// The registry's words about why `schema` cannot become the next version of `subject`, by the compatibility level that it has for
    /// it; empty when it does not say. None when it can, also because there is no version yet.
    ///
    /// # Errors
    /// [`SubjectsError`].
    pub(crate) async fn incompatible(&self, subject: &str, schema: &str) -> Result<Option<Vec<String>>, SubjectsError> {
        let what = format!("the compatibility with subject {subject}");
        let path = format!("compatibility/subjects/{}/versions/latest?verbose=true", escape(subject));
        let request = self.client.post(format!("{}/{path}", self.url));
        let request = request.header(CONTENT_TYPE, MEDIA_TYPE).body(json!({"schema": schema}).to_string());
        let Some(answer) = self.ask(request, &what).await? else { return Ok(None) };
        let answer: Compatibility = self.read(&answer, &what)?;
        let messages = || answer.messages.iter().take(MAX_MESSAGES).map(|message| short(message).to_owned()).collect();
        Ok((!answer.is_compatible).then(messages))
    }

    /// The body of the answer; none when the registry says that it has no such thing.
    async fn ask(&self, request: RequestBuilder, what: &str) -> Result<Option<Vec<u8>>, SubjectsError> {
        let request = match &self.user {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => authorize(&self.auth, request).map_err(|cause| self.error(what, cause.to_string()))?,
        };
        let failed = |error: reqwest::Error| self.error(what, causes(error));
        let mut response = request.header(ACCEPT, MEDIA_TYPE).send().await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.error(what, format!("the answer is over {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status();
        if status.is_success() {
            return Ok(Some(body));
        }
        // A 404 without the registry's own code is from what stands before it.
        let said: Option<Value> = serde_json::from_slice(&body).ok();
        let code = said.as_ref().and_then(|said| said.get("error_code")).and_then(Value::as_u64);
        if status == StatusCode::NOT_FOUND && matches!(code, Some(40401..=40403)) {
            return Ok(None);
        }
        let message = said.as_ref().and_then(|said| said.get("message")).and_then(Value::as_str).unwrap_or_default();
        Err(self.error(what, format!("it answered {status}: {}", short(message))))
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, body: &[u8], what: &str) -> Result<T, SubjectsError> {
        serde_json::from_slice(body).map_err(|error| self.error(what, format!("its answer cannot be read: {error}")))
    }

    fn error(&self, what: &str, reason: String) -> SubjectsError {
        SubjectsError { url: self.url.clone(), what: what.to_owned(), reason }
    }
}

fn short(message: &str) -> &str {
    &message[..message.floor_char_boundary(MAX_MESSAGE)]
}

/// `subject` as one segment of a path.
pub(crate) fn escape(subject: &str) -> String {
    let mut escaped = String::with_capacity(subject.len());
    for byte in subject.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Resolves `%41` and the like.
fn unescape(text: &str) -> String {
    // As of a form, but for the `+`, which stands for itself here.
    let form = format!("={}", text.replace('+', "%2B"));
    let mut url = match Url::parse("http://form/") {
        Ok(url) => url,
        Err(_) => return text.to_owned(),
    };
    url.set_query(Some(&form));
    let value = url.query_pairs().next().map(|(_, value)| value.into_owned());
    value.unwrap_or_else(|| text.to_owned())
}
