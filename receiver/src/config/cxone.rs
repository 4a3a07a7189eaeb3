//! `cxone`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use config::{ConfigError, read_secret, redact};
use service::secret::Secret;

/// The placeholder for the subject in `cxone.schema_path`.
pub const SUBJECT_PLACE: &str = "{subject}";

/// `cxone`: the access to CXone, if it is the origin of the schemas. Without this section, nothing is fetched from
/// CXone.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cxone {
    /// `cxone.tenant_url`: the base address of the tenant's API, such as `https://api-na1.niceincontact.com`; required
    /// if the section is used. `http://` is accepted only for this machine, since secrets are sent there.
    #[serde(serialize_with = "redact::optional_addresses")]
    pub tenant_url: Option<String>,
    /// `cxone.client_id`: Penstock's client id, for the client-credentials grant (RFC 6749, section 4.4).
    pub client_id: Option<String>,
    /// `cxone.client_secret`: the client's secret.
    pub client_secret: Option<Secret>,
    /// `cxone.client_secret_file`: a file with that secret, read for each token.
    pub client_secret_file: Option<PathBuf>,
    /// `cxone.token_path`: path below `tenant_url` of the token endpoint for client credentials.
    pub token_path: String,
    /// `cxone.scopes`: the requested scopes, separated by spaces.
    pub scopes: String,
    /// `cxone.access_key_id`: the id of an access key, instead of `client_id`.
    pub access_key_id: Option<String>,
    /// `cxone.access_key_secret`: the secret of the access key.
    pub access_key_secret: Option<Secret>,
    /// `cxone.access_key_secret_file`: a file with that secret, read for each token.
    pub access_key_secret_file: Option<PathBuf>,
    /// `cxone.access_key_path`: path below `tenant_url` of the token endpoint for an access key.
    pub access_key_path: String,
    /// `cxone.schema_path`: path below `tenant_url` of the latest schema; `{subject}` is replaced with the subject.
    /// Required if the section is used: CXone documents no path that holds for every tenant.
    pub schema_path: Option<String>,
    /// `cxone.schema_pointer`: where the schema is in the answer, as a JSON pointer (RFC 6901), such as `/data/schema`.
    /// By default the field `schema` if it exists, else the whole answer.
    pub schema_pointer: Option<String>,
    /// `cxone.subjects`: the subjects whose schemas come from CXone; by default those of all sources. Several subjects
    /// require `{subject}` in `schema_path`.
    pub subjects: Vec<String>,
    /// `cxone.proxy`: the address of an HTTP proxy on the way. Absent: the one of `HTTPS_PROXY`, `HTTP_PROXY` or
    /// `ALL_PROXY`, except for the hosts of `NO_PROXY`.
    #[serde(serialize_with = "redact::optional_addresses")]
    pub proxy: Option<String>,
    /// `cxone.timeout`: time limit of one request, which is sent up to four times.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// `cxone.refresh`: how often a running receiver asks for the latest schema, at least `10s`; without it never.
    #[serde(with = "humantime_serde")]
    pub refresh: Option<Duration>,
}

/// The credentials for a token.
#[derive(Clone, Debug)]
pub enum CxoneCredentials {
    /// `cxone.client_id`.
    Client {
        /// The id.
        id: String,
        /// The secret.
        secret: Secret,
    },
    /// `cxone.access_key_id`.
    AccessKey {
        /// The id.
        id: String,
        /// The secret.
        secret: Secret,
    },
}

impl Default for Cxone {
    fn default() -> Self {
        Self {
            tenant_url: None,
            client_id: None,
            client_secret: None,
            client_secret_file: None,
            token_path: "/api/v2/oauth/token".to_owned(),
            scopes: "data-action:read data-action:write".to_owned(),
            access_key_id: None,
            access_key_secret: None,
            access_key_secret_file: None,
            access_key_path: "/authentication/v1/token/access-key".to_owned(),
            schema_path: None,
            schema_pointer: None,
            subjects: Vec::new(),
            proxy: None,
            timeout: Duration::from_secs(10),
            refresh: None,
        }
    }
}

impl fmt::Debug for Cxone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(self, f)
    }
}

impl Cxone {
    /// Returns whether a key is set that only makes sense with CXone.
    pub fn is_used(&self) -> bool {
        self.tenant_url.is_some()
            || self.has_client()
            || self.has_access_key()
            || self.schema_path.is_some()
            || self.refresh.is_some()
    }

    /// Returns whether any key of the client credentials is set.
    pub(crate) fn has_client(&self) -> bool {
        self.client_id.is_some() || self.client_secret.is_some() || self.client_secret_file.is_some()
    }

    /// Returns whether any key of the access key is set.
    pub(crate) fn has_access_key(&self) -> bool {
        self.access_key_id.is_some() || self.access_key_secret.is_some() || self.access_key_secret_file.is_some()
    }

    /// Returns the credentials for a token. Reads the file of the secret at each call, so that it can be changed while
    /// the process runs.
    ///
    /// # Errors
    /// When the file cannot be read or is empty, or there are no credentials.
    pub fn credentials(&self) -> Result<CxoneCredentials, ConfigError> {
        let missing = |key: &str| ConfigError(format!("cxone.{key}: is missing or empty: set it, or {key}_file"));
        let read = |key: &str, value, file| match read_secret(value, file) {
            Ok(Some(secret)) if !secret.expose().is_empty() => Ok(secret),
            Ok(_) => Err(missing(key)),
            Err(ConfigError(message)) => Err(ConfigError(format!("cxone.{key}_file: {message}"))),
        };
        if let Some(id) = self.client_id.clone() {
            let secret = read("client_secret", self.client_secret.as_ref(), self.client_secret_file.as_ref())?;
            return Ok(CxoneCredentials::Client { id, secret });
        }
        let Some(id) = self.access_key_id.clone() else {
            let message =
                "cxone.client_id: is missing: set client_id and client_secret, or access_key_id and access_key_secret";
            return Err(ConfigError(message.to_owned()));
        };
        let secret = read("access_key_secret", self.access_key_secret.as_ref(), self.access_key_secret_file.as_ref())?;
        Ok(CxoneCredentials::AccessKey { id, secret })
    }
}
