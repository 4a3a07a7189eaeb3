//! `elasticsearch`.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use config::redact;
use service::secret::Secret;

use super::{Documents, Lifecycle, Mapping, Placement, Routes};

/// `elasticsearch`: where documents go.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elasticsearch {
    /// `elasticsearch.url`: one address, or several separated by commas. They may hold a user and a password.
    #[serde(serialize_with = "redact::addresses")]
    pub url: String,
    /// `elasticsearch.index_name`: the name to search documents under: an alias, a data stream or an index, depending
    /// on the strategy.
    pub index_name: String,
    /// `elasticsearch.strategy`: where a document lands. `rollover`: backing indices `NAME-000001` and so on behind the
    /// alias `NAME`. `time`: an index for each span of time, `NAME-…`, all behind the alias `NAME`. `data_stream`: the
    /// data stream `NAME`. `single`: one index `NAME`.
    pub strategy: Strategy,
    /// `elasticsearch.routes`: documents go to one of several indices by the value of a field. See `docs/routing.md`.
    pub routes: Option<Routes>,
    /// The names of all indices of the topic, if it has several (`elasticsearch.routes`). This is not a config key.
    #[serde(skip)]
    pub siblings: Vec<String>,
    /// `elasticsearch.on_duplicate`: what happens to a second event with the same id. `keep_first`: the document stays;
    /// the same event is a duplicate, another one becomes a dead letter (`id-conflict`). `keep_last`: it replaces the
    /// document, with timestamp and offset as external version, so a replay never replaces a newer event with an older
    /// one; only with the strategy `single` and without `routes`. See `docs/ids.md`.
    pub on_duplicate: OnDuplicate,
    /// `elasticsearch.verify_duplicates`: how the indexer proves, with `keep_first`, that a stored document is the same
    /// event. `always`: it reads and compares the document. `by_timestamp`: it first reads only `_ingested_at`, with
    /// the same outcome. `never`: it takes the document for the same event. See `docs/ids.md`.
    pub verify_duplicates: VerifyDuplicates,
    /// `elasticsearch.placement`: which index of several a document lands in.
    pub placement: Placement,
    /// `elasticsearch.documents`: how values are written, where there is a choice, and what becomes of single fields.
    pub documents: Documents,
    /// `elasticsearch.mapping`: what the fields of documents are to Elasticsearch.
    pub mapping: Mapping,
    /// `elasticsearch.lifecycle`: who applies the policy in `ilm_config_path`: `ilm`, `dsl` (data stream lifecycle,
    /// only for `data_stream`), `ism` (OpenSearch; `ilm` and `ism` both mean the policies of the actual server) or
    /// `none`. By default `ilm` if `ilm_config_path` is set and the strategy is not `single`. See `docs/lifecycle.md`.
    pub lifecycle: Option<Lifecycle>,
    /// `elasticsearch.request_timeout`: time limit of one request; then it counts as failed and is sent again.
    /// Elasticsearch gets five sixths of it as its own limit.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// `elasticsearch.connect_timeout`: how long a node that has not answered yet, or not recently, may take to accept
    /// a connection before another one is tried.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// `elasticsearch.compression`: of bulk bodies. `auto`: `gzip` for nodes on other machines; `gzip`; `none`.
    pub compression: Compression,
    /// `elasticsearch.ca_file`: a PEM file with authorities to accept in addition to the public ones.
    pub ca_file: Option<PathBuf>,
    /// `elasticsearch.proxy`: the address of an HTTP proxy on the way. Absent: the one of `HTTPS_PROXY`, `HTTP_PROXY`
    /// or `ALL_PROXY`, except for the hosts of `NO_PROXY`.
    #[serde(serialize_with = "redact::optional_addresses")]
    pub proxy: Option<String>,
    /// `elasticsearch.auth`: who the indexer is to Elasticsearch.
    pub auth: ElasticsearchAuth,
}

/// `elasticsearch.compression`: whether bulk bodies are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Compress with gzip for nodes on other machines.
    Auto,
    /// Compress with gzip.
    Gzip,
    /// Do not compress.
    None,
}

/// `elasticsearch.auth`: the indexer's credentials for Elasticsearch. A file takes precedence over a value, and is
/// read again when it changes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ElasticsearchAuth {
    /// No credentials, for a cluster without security.
    #[default]
    None,
    /// A user with a password.
    Basic {
        /// `elasticsearch.auth.username`: `basic`: the user.
        username: String,
        /// `elasticsearch.auth.password`: `basic`: the password.
        #[serde(default)]
        password: Option<Secret>,
        /// `elasticsearch.auth.password_file`: `basic`: a file with the password.
        #[serde(default)]
        password_file: Option<PathBuf>,
    },
    /// An API key.
    ApiKey {
        /// `elasticsearch.auth.api_key`: `api_key`: `encoded` from the response that created the key, or `id:api_key`.
        #[serde(default)]
        api_key: Option<Secret>,
        /// `elasticsearch.auth.api_key_file`: `api_key`: a file with the key.
        #[serde(default)]
        api_key_file: Option<PathBuf>,
    },
    /// A bearer token, for example of a service account.
    Bearer {
        /// `elasticsearch.auth.token`: `bearer`: the token, such as a service account's.
        #[serde(default)]
        token: Option<Secret>,
        /// `elasticsearch.auth.token_file`: `bearer`: a file with the token.
        #[serde(default)]
        token_file: Option<PathBuf>,
    },
}

/// `elasticsearch.strategy`: how documents are distributed over indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Backing indices `{index_name}-000001` and so on behind the alias `{index_name}`, rolled over by size or age.
    Rollover,
    /// An index for each day or other span of time, `{index_name}-…`, all behind the alias `{index_name}`.
    Time,
    /// The data stream `{index_name}`.
    DataStream,
    /// A single index called `{index_name}`.
    Single,
}

/// `elasticsearch.on_duplicate`: what happens to a second event with the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// The document of the first event stays.
    KeepFirst,
    /// The second event replaces the document. The record's timestamp and offset form the document's external
    /// version, so that a replay never replaces a newer event with an older one.
    KeepLast,
}

/// `elasticsearch.verify_duplicates`: how the indexer proves that an existing document is the same event. The rules
/// are in `docs/ids.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyDuplicates {
    /// Reads and compares the stored document.
    Always,
    /// Reads only its `_ingested_at` first. If that proves nothing, reads and compares the document as with `always`.
    /// The outcome is the same, with an additional request for repeated events and fewer bytes in a replay.
    ByTimestamp,
    /// Proves nothing: whatever has the id counts as the same event.
    Never,
}

impl Elasticsearch {
    /// Returns the name of each index set: first `index_name`, then the other names in `routes`, in their order. The
    /// position of a name is the number of its index set.
    pub(crate) fn index_names(&self) -> Vec<&str> {
        let routed = self.routes.iter().flat_map(|routes| routes.to.values()).map(String::as_str);
        let others: BTreeSet<&str> = routed.filter(|name| *name != self.index_name).collect();
        std::iter::once(self.index_name.as_str()).chain(others).collect()
    }
}

impl Default for Elasticsearch {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:9200".to_owned(),
            index_name: "cxone-events".to_owned(),
            strategy: Strategy::Rollover,
            routes: None,
            siblings: Vec::new(),
            on_duplicate: OnDuplicate::KeepFirst,
            verify_duplicates: VerifyDuplicates::Always,
            placement: Placement::default(),
            documents: Documents::default(),
            mapping: Mapping::default(),
            lifecycle: None,
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(2),
            compression: Compression::Auto,
            ca_file: None,
            proxy: None,
            auth: ElasticsearchAuth::None,
        }
    }
}

impl fmt::Debug for Elasticsearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(self, f)
    }
}
