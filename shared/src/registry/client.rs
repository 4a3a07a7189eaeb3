//! The calls to the registry, without a cache.

use std::collections::HashSet;
use std::sync::Arc;

use reqwest::Url;
use reqwest::redirect::Policy;
use schema_registry_converter::async_impl::schema_registry::{
    SrSettings, get_all_versions, get_referenced_schema, get_schema_by_id, get_schema_by_subject_and_version,
    post_schema,
};
use schema_registry_converter::schema_registry_common::{
    RegisteredReference, RegisteredSchema as Answer, SchemaType, SuppliedSchema,
};

use super::{RegisteredSchema, RegistryError};
use crate::avro::Schema;
use crate::config;
use crate::tls;
use crate::wire::SchemaId;

/// How many other schemas one schema may refer to, those of those included.
const MAX_REFERENCES: usize = 100;

pub(super) struct Client {
    /// Without the user and the password, for messages.
    url: String,
    settings: SrSettings,
}

impl Client {
    pub(super) fn new(config: &config::SchemaRegistry) -> Result<Self, RegistryError> {
        tls::install_provider();
        let (url, user) = split_user(&config.url)?;
        let mut settings = SrSettings::new_builder(url.clone());
        settings.set_timeout(config.timeout);
        if let Some((name, password)) = user {
            settings.set_basic_authorization(&name, Some(&password));
        }
        // A redirect that a POST followed would become a GET, and what is behind it need not be a registry.
        let http = reqwest::Client::builder().connect_timeout(config.timeout).redirect(Policy::none());
        let settings = settings.build_with(http).map_err(|error| RegistryError::from_call(&error, &url, "anything"))?;
        Ok(Self { url, settings })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn by_id(&self, id: SchemaId) -> Result<Arc<Schema>, RegistryError> {
        let what = format!("schema id {id}");
        let answer = get_schema_by_id(id.0, &self.settings)
            .await
            .map_err(|error| RegistryError::from_call(&error, &self.url, &what))?;
        self.compile(&answer, &what).await
    }

    pub(super) async fn latest(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        self.subject_schema(subject, None, format!("subject {subject}")).await
    }

    pub(super) async fn version(&self, subject: &str, version: u32) -> Result<RegisteredSchema, RegistryError> {
        self.subject_schema(subject, Some(version), format!("version {version} of subject {subject}")).await
    }

    /// The numbers of all versions of `subject`.
    pub(super) async fn versions(&self, subject: &str) -> Result<Vec<u32>, RegistryError> {
        let what = format!("subject {subject}");
        let answer = get_all_versions(&self.settings, escape(subject)).await;
        answer.map_err(|error| RegistryError::from_call(&error, &self.url, &what))
    }

    async fn subject_schema(
        &self,
        subject: &str,
        version: Option<u32>,
        what: String,
    ) -> Result<RegisteredSchema, RegistryError> {
        let answer = get_schema_by_subject_and_version(&self.settings, &escape(subject), version)
            .await
            .map_err(|error| RegistryError::from_call(&error, &self.url, &what))?;
        let schema = self.compile(&answer, &what).await?;
        Ok(RegisteredSchema { id: SchemaId(answer.id), schema })
    }

    pub(super) async fn register(&self, subject: &str, schema: &str) -> Result<SchemaId, RegistryError> {
        let supplied = SuppliedSchema::new(None, SchemaType::Avro, schema.to_owned());
        let what = format!("the schema to register under subject {subject}");
        let answer = post_schema(&self.settings, escape(subject), supplied)
            .await
            .map_err(|error| RegistryError::from_call(&error, &self.url, &what))?;
        Ok(SchemaId(answer.id))
    }

    async fn compile(&self, answer: &Answer, what: &str) -> Result<Arc<Schema>, RegistryError> {
        let unusable =
            |reason: String| RegistryError::Unusable { url: self.url.clone(), what: what.to_owned(), reason };
        if answer.schema_type != SchemaType::Avro {
            return Err(unusable(format!("it is of the type {:?}", answer.schema_type)));
        }
        let references = self.references(answer, what).await?;
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        match Schema::parse_with_references(&answer.schema, &references) {
            Ok(schema) => Ok(Arc::new(schema)),
            Err(error) => Err(unusable(error.to_string())),
        }
    }

    /// The texts of the schemas that `answer` refers to, directly and indirectly, each once.
    async fn references(&self, answer: &Answer, what: &str) -> Result<Vec<String>, RegistryError> {
        let mut seen: HashSet<(String, u32)> = HashSet::new();
        let mut texts = Vec::new();
        let mut left: Vec<RegisteredReference> = answer.references.clone();
        while let Some(mut reference) = left.pop() {
            if !seen.insert((reference.subject.clone(), reference.version)) {
                continue;
            }
            if seen.len() > MAX_REFERENCES {
                let reason = format!("it refers to more than {MAX_REFERENCES} other schemas");
                return Err(RegistryError::Unusable { url: self.url.clone(), what: what.to_owned(), reason });
            }
            let name = format!("subject {} version {}, which {what} refers to", reference.subject, reference.version);
            reference.subject = escape(&reference.subject);
            let found = get_referenced_schema(&self.settings, &reference)
                .await
                .map_err(|error| RegistryError::from_call(&error, &self.url, &name).of_reference())?;
            left.extend(found.references);
            texts.push(found.schema);
        }
        Ok(texts)
    }
}

/// The address without user and password, which would be shown in messages, and those two.
fn split_user(address: &str) -> Result<(String, Option<(String, String)>), RegistryError> {
    let invalid = |reason: &str| RegistryError::Unavailable {
        url: "schema_registry.url".to_owned(),
        what: "anything".to_owned(),
        reason: reason.to_owned(),
    };
    let mut url = Url::parse(address).map_err(|error| invalid(&format!("not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("the URL must start with http:// or https://"));
    }
    let user =
        (!url.username().is_empty()).then(|| (unescape(url.username()), unescape(url.password().unwrap_or_default())));
    // Both can be set on every http URL.
    let _set = (url.set_username(""), url.set_password(None));
    Ok((url.as_str().trim_end_matches('/').to_owned(), user))
}

/// `subject` as one segment of a path.
fn escape(subject: &str) -> String {
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
    let bytes = text.as_bytes();
    let mut unescaped = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) if byte == b'%' => {
                unescaped.push(value);
                at += 3;
            }
            _ => {
                unescaped.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&unescaped).into_owned()
}
