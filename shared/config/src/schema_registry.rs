//! `schema_registry`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::redact;
use service::secret::Secret;

/// `schema_registry`: where schemas come from. Any registry that speaks Confluent's API.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SchemaRegistry {
    /// `schema_registry.url`: the base address, such as `http://registry:8081`, or several of the same registry, separated by commas:
    /// where one does not answer, the next is asked.
    #[serde(serialize_with = "redact::addresses")]
    pub url: String,
    /// `schema_registry.auth`: who Penstock is to the registry.
    pub auth: SchemaRegistryAuth,
    /// `schema_registry.ca_file`: a PEM file of the authorities that may have signed the certificates of `https` addresses, besides the
    /// public ones.
    pub ca_file: Option<PathBuf>,
    /// `schema_registry.client_certificate_file`: a PEM file with a certificate of ours, where the registry asks for one.
    pub client_certificate_file: Option<PathBuf>,
    /// `schema_registry.client_key_file`: a PEM file with its private key.
    pub client_key_file: Option<PathBuf>,
    /// `schema_registry.proxy`: the address of an HTTP proxy on the way. Absent: the one of `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY`,
    /// except for the hosts of `NO_PROXY`.
    #[serde(serialize_with = "redact::optional_addresses")]
    pub proxy: Option<String>,
    /// `schema_registry.timeout`: how long one request to one address may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// `schema_registry.cache_capacity`: how many schemas are kept in memory.
    pub cache_capacity: u64,
    /// `schema_registry.refresh`: how old the latest schema of a subject may become before it is asked for again. The old one is
    /// served while the registry is away.
    #[serde(with = "humantime_serde")]
    pub refresh: Duration,
    /// `schema_registry.negative_ttl`: how long "no such schema" is remembered.
    #[serde(with = "humantime_serde")]
    pub negative_ttl: Duration,
    /// `schema_registry.patience`: how long "no such schema" is taken for "not yet", while it is asked for again: a node of the registry may
    /// lack what was registered at another one a moment ago.
    #[serde(with = "humantime_serde")]
    pub patience: Duration,
    /// `schema_registry.cache_dir`: a folder in which schemas are kept, for a start while the registry is away. Made when it is not there.
    pub cache_dir: Option<PathBuf>,
}

/// `schema_registry.auth`: who Penstock is to the registry. A file wins over a value beside it, and is read again for each request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SchemaRegistryAuth {
    /// Nobody in particular, or the user in the address.
    #[default]
    None,
    /// A user with a password, or an API key with its secret.
    Basic {
        /// `schema_registry.auth.username`: the user's name.
        username: String,
        /// `schema_registry.auth.password`: the user's password.
        #[serde(default)]
        password: Option<Secret>,
        /// `schema_registry.auth.password_file`: a file that holds the password.
        #[serde(default)]
        password_file: Option<PathBuf>,
    },
    /// A bearer token.
    Bearer {
        /// `schema_registry.auth.token`: the token.
        #[serde(default)]
        token: Option<Secret>,
        /// `schema_registry.auth.token_file`: a file that holds the token.
        #[serde(default)]
        token_file: Option<PathBuf>,
    },
}

impl Default for SchemaRegistry {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8081".to_owned(),
            auth: SchemaRegistryAuth::None,
            ca_file: None,
            client_certificate_file: None,
            client_key_file: None,
            proxy: None,
            timeout: Duration::from_secs(5),
            cache_capacity: 1_000,
            refresh: Duration::from_secs(60),
            negative_ttl: Duration::from_secs(10),
            patience: Duration::from_secs(15),
            cache_dir: None,
        }
    }
}

impl fmt::Debug for SchemaRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(self, f)
    }
}
