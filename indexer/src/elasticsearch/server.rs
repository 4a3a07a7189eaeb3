//! Identifies the search server, Elasticsearch or `OpenSearch`, and its version. [`identify`] asks; `judge` decides
//! without I/O.
//!
//! Code that differs between the two asks [`Client::server`]: requests in `index`, the list of backing indices in
//! `backing`, and the types of fields in `index/mapping/flavour.rs`. `docs/compatibility.md` lists what was tested
//! with which version.

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;

use crate::elasticsearch::errors::is_own_error;
use crate::elasticsearch::{Client, Method, Request, SendError, ServerAnswer};

/// The oldest supported Elasticsearch: the first that allows missing component templates.
pub const LEAST_ELASTICSEARCH: Version = Version { major: 8, minor: 7, patch: 0 };
/// The oldest supported `OpenSearch`: no older one is tested.
pub const LEAST_OPENSEARCH: Version = Version { major: 2, minor: 19, patch: 0 };

/// The version that `OpenSearch` 2 reports with `compatibility.override_main_response_version`.
const OVERRIDDEN: Version = Version { major: 7, minor: 10, patch: 2 };

/// The kind of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Elastic's server.
    Elasticsearch,
    /// The `OpenSearch` project's server, or a service based on it.
    OpenSearch,
}

/// A version, without any suffix after a dash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

/// The kind and version of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// The kind of the server.
    pub product: Product,
    /// The version. `None` if the server does not report it, or has none (Elasticsearch Serverless).
    pub version: Option<Version>,
}

/// Why the server is unknown or unsupported.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// There was no answer.
    #[error("{0}")]
    Send(#[from] SendError),
    /// The answer does not identify the server, but a later one may.
    #[error("the server does not say what it is: it answered {status}: {body}")]
    Refused {
        /// The status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// The version is older than the oldest supported one.
    #[error("{0} is too old: the indexer needs {least} or later; upgrade it", least = Server::least(.0.product))]
    TooOld(Server),
}

/// The content of an answer to `GET /`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// It identifies the server.
    Server(Server),
    /// It does not identify the server, and will not.
    Nothing,
}

/// The body of an answer to `GET /`.
#[derive(Deserialize)]
struct Main {
    version: MainVersion,
}

#[derive(Deserialize)]
struct MainVersion {
    number: String,
    #[serde(default)]
    distribution: String,
    #[serde(default)]
    build_flavor: String,
}

impl Version {
    /// Parses the version at the start of `text`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '-', '+']).map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { major: next()?, minor: next()?, patch: next().unwrap_or(0) })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Product {
    /// Returns the oldest supported version.
    fn least(self) -> Version {
        match self {
            Self::Elasticsearch => LEAST_ELASTICSEARCH,
            Self::OpenSearch => LEAST_OPENSEARCH,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
        })
    }
}

impl Server {
    /// Creates a server of `product` with an unknown version.
    pub const fn unknown(product: Product) -> Self {
        Self { product, version: None }
    }

    /// Returns whether it is `OpenSearch`.
    pub fn is_opensearch(self) -> bool {
        self.product == Product::OpenSearch
    }

    fn least(product: Product) -> String {
        format!("{product} {}", product.least())
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{} {version}", self.product),
            None => write!(f, "{} of unknown version", self.product),
        }
    }
}

/// Identifies the server behind `client` and stores the result in the client. If `GET /` does not identify it (a role
/// may forbid the request, a proxy may hide it), the header of the answer decides. Without the header, `expected`
/// decides; or else a server that refuses a parameter of Elasticsearch's `GET /{index}` is `OpenSearch`.
///
/// # Errors
/// [`ServerError`], if there is no conclusive answer, or the server is too old.
pub async fn identify(client: &Client, index: &str, expected: Option<Product>) -> Result<Server, ServerError> {
    let answer = get(client, "/", &[]).await?;
    let server = match judge(&answer)? {
        Said::Server(server) => server,
        Said::Nothing => {
            let product = guess(client, &answer, index, expected).await?;
            let known = client.server().filter(|known| known.product == product);
            let server = known.unwrap_or(Server::unknown(product));
            if known.is_none() {
                tracing::warn!(
                    status = answer.status,
                    product = %server.product,
                    "GET / does not return the server's version, so it is not checked; grant the privilege monitor."
                );
            }
            server
        }
    };
    if server.version.is_some_and(|version| version < server.product.least()) {
        return Err(ServerError::TooOld(server));
    }
    if client.server() != Some(server) {
        tracing::info!(product = %server.product, version = server.version.map(tracing::field::display), "Identified the search server.");
    }
    client.set_server(server);
    Ok(server)
}

/// Interprets the `answer` to `GET /`.
fn judge(answer: &ServerAnswer) -> Result<Said, ServerError> {
    if matches!(answer.status, 401 | 408 | 429 | 500..) {
        return Err(refused(answer));
    }
    let Ok(Main { version }) = serde_json::from_slice::<Main>(&answer.body) else { return Ok(Said::Nothing) };
    if version.distribution.eq_ignore_ascii_case("opensearch") {
        let number = Version::parse(&version.number).filter(|number| *number != OVERRIDDEN);
        return Ok(Said::Server(Server { product: Product::OpenSearch, version: number }));
    }
    // Elasticsearch Serverless reports a version number that has no meaning.
    let number = Version::parse(&version.number).filter(|_| version.build_flavor != "serverless");
    Ok(Said::Server(Server { product: Product::Elasticsearch, version: number }))
}

fn refused(answer: &ServerAnswer) -> ServerError {
    ServerError::Refused { status: answer.status, body: answer.beginning() }
}

/// Determines the kind of a server that does not report it.
async fn guess(
    client: &Client,
    answer: &ServerAnswer,
    index: &str,
    expected: Option<Product>,
) -> Result<Product, ServerError> {
    if answer.is_elasticsearch {
        return Ok(Product::Elasticsearch);
    }
    if let Some(expected) = expected {
        return Ok(expected);
    }
    // The server checks parameters before anything else.
    let probe = get(client, &format!("/{index}"), &[("features", "aliases"), ("filter_path", "*.aliases")]).await?;
    match probe.status {
        // A page from a proxy does not identify the server.
        200 if serde_json::from_slice::<serde_json::Value>(&probe.body).is_err() => Err(refused(&probe)),
        200 => Ok(Product::Elasticsearch),
        401 | 408 | 429 | 500.. => Err(refused(&probe)),
        _ if !is_own_error(&probe.body) => Err(refused(&probe)),
        400 => Ok(Product::OpenSearch),
        _ => Ok(Product::Elasticsearch),
    }
}

async fn get(client: &Client, path: &str, query: &[(&str, &str)]) -> Result<ServerAnswer, SendError> {
    let request = Request { method: Method::Get, path, query, content_type: "application/json", body: Bytes::new() };
    client.send(&request).await
}

#[cfg(test)]
mod tests;
