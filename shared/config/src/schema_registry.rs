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
    /// `schema_registry.url`: the base address of a registry with Confluent's API (Apicurio:
    /// `http://…/apis/ccompat/v7`). It may hold a user and a password, with `@`, `:`, `/`, `%` and the like
    /// percent-encoded. A context of the registry is part of the address (`http://…/contexts/.prod`), not of subjects.
    /// Redirects are not followed. Several addresses of the same registry are separated by commas: if one does not
    /// answer, or answers with an error of its own, Penstock asks the next one, and asks the failed one last for 10 s.
    #[serde(serialize_with = "redact::addresses")]
    pub url: String,
    /// `schema_registry.auth`: the credentials for the registry.
    pub auth: SchemaRegistryAuth,
    /// `schema_registry.ca_file`: a PEM file with authorities to accept in addition to the public ones. Read at start.
    pub ca_file: Option<PathBuf>,
    /// `schema_registry.client_certificate_file`: a PEM file with Penstock's client certificate, for a registry that
    /// requires one. Read at start.
    pub client_certificate_file: Option<PathBuf>,
    /// `schema_registry.client_key_file`: a PEM file with its private key.
    pub client_key_file: Option<PathBuf>,
    /// `schema_registry.proxy`: the address of an HTTP proxy on the way. Absent: the one of `HTTPS_PROXY`, `HTTP_PROXY`
    /// or `ALL_PROXY`, except for the hosts of `NO_PROXY`.
    #[serde(serialize_with = "redact::optional_addresses")]
    pub proxy: Option<String>,
    /// `schema_registry.timeout`: time limit of one request to one address.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// `schema_registry.cache_capacity`: number of schemas kept in memory; a large one counts once more for each 64 KiB
    /// that it takes there.
    pub cache_capacity: u64,
    /// `schema_registry.refresh`: maximum age of a subject's latest schema before the registry is asked again; the old
    /// one stays in use while the registry is down.
    #[serde(with = "humantime_serde")]
    pub refresh: Duration,
    /// `schema_registry.negative_ttl`: how long "no such schema" is remembered.
    #[serde(with = "humantime_serde")]
    pub negative_ttl: Duration,
    /// `schema_registry.patience`: how long "no such schema" for an id, a version or a fingerprint counts as "not yet",
    /// at most `1h`: one node of a registry may lack what another one has just registered. Meanwhile Penstock asks all
    /// addresses every second, a receiver answers 503, and an indexer's partition waits. Ids far above those in use get
    /// no patience, and ids above 2147483647, which no registry issues, are not asked for. In an indexer, each id that
    /// turns out to be missing halves the patience for the next one, so a stream of them gets none either. `0s`: the
    /// first answer counts.
    #[serde(with = "humantime_serde")]
    pub patience: Duration,
    /// `schema_registry.cache_dir`: a folder for schemas, created if missing: a service that starts while the registry
    /// is down uses them. Without it, such a start waits for the registry.
    pub cache_dir: Option<PathBuf>,
}

/// `schema_registry.auth`: the credentials for the registry. A file takes precedence over a value, and is read again
/// for each request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SchemaRegistryAuth {
    /// No credentials, or the user in the address.
    #[default]
    None,
    /// A user with a password, or an API key with its secret.
    Basic {
        /// `schema_registry.auth.username`: `basic`: the user, or an API key.
        username: String,
        /// `schema_registry.auth.password`: `basic`: the password, or the API key's secret.
        #[serde(default)]
        password: Option<Secret>,
        /// `schema_registry.auth.password_file`: `basic`: a file with the password.
        #[serde(default)]
        password_file: Option<PathBuf>,
    },
    /// A bearer token.
    Bearer {
        /// `schema_registry.auth.token`: `bearer`: the token.
        #[serde(default)]
        token: Option<Secret>,
        /// `schema_registry.auth.token_file`: `bearer`: a file with the token.
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
