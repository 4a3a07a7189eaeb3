//! One answer of a registry, and its meaning.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::RegistryError;

/// The media type of the registry's API. Nothing in front of a registry sends it.
pub(super) const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// How the media type begins, in any version of the API.
const OWN: &[u8] = b"application/vnd.schemaregistry";

/// The code of a registry or subject that accepts no schema at the moment, whatever the schema is: its mode is
/// `READONLY` or `IMPORT` (Confluent Schema Registry API reference, "Errors" and "Modes").
const NOT_PERMITTED: u32 = 42205;
/// The code for "schema not found".
const NOT_FOUND: u32 = 40403;
/// The most bytes of a reason, which may quote what the registry sent.
const MAX_REASON: usize = 500;

/// An answer.
pub(super) struct Answer {
    status: StatusCode,
    /// Whether its media type shows that a registry sent it.
    is_own: bool,
    body: Vec<u8>,
}

/// The body of an error. Registries of other vendors may leave out a part.
#[derive(Default, Deserialize)]
struct ErrorBody {
    error_code: Option<u32>,
    message: Option<String>,
}

impl Answer {
    /// Reads `response` to its end.
    pub(super) async fn of(response: Response) -> Result<Self, reqwest::Error> {
        let status = response.status();
        let is_own = response.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(OWN));
        Ok(Self { status, is_own, body: response.bytes().await?.into() })
    }

    /// Returns the JSON in the body.
    ///
    /// # Errors
    /// What the answer says about `what` instead, by its code ([`RegistryError::from_code`]), or that it cannot be
    /// read.
    pub(super) fn read<T: DeserializeOwned>(&self, url: &str, what: &str) -> Result<T, RegistryError> {
        if !self.status.is_success() {
            return Err(RegistryError::from_code(self.code(), self.reason(), url, what));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| RegistryError::unavailable(url, what, format!("its answer is not as expected: {error}")))
    }

    /// Returns whether the registry has refused a registration because of its mode, and not because of the schema.
    pub(super) fn is_not_permitted(&self) -> bool {
        self.code() == Some(NOT_PERMITTED)
    }

    /// Returns the status and the message of an error.
    pub(super) fn reason(&self) -> String {
        let message = self.error().message.map(|message| format!(": {message}"));
        let mut reason = format!("HTTP status {}{}", self.status, message.unwrap_or_default());
        reason.truncate(reason.floor_char_boundary(MAX_REASON));
        reason
    }

    /// Returns the code of an error: the one in the body, or else the one that its status means if a registry sent it.
    fn code(&self) -> Option<u32> {
        let of_status = || match self.status {
            StatusCode::NOT_FOUND => NOT_FOUND,
            status => u32::from(status.as_u16()),
        };
        self.error().error_code.or_else(|| self.is_own.then(of_status))
    }

    fn error(&self) -> ErrorBody {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
