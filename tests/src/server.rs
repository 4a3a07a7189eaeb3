//! The search server of a scenario: Elasticsearch, or OpenSearch for those named in
//! [`on_opensearch!`](crate::on_opensearch).
//!
//! A scenario is written once. `on_opensearch! { name, … }` at the end of its file adds a second test for each name, in
//! a module `opensearch`, for which [`Stack::running`](crate::stack::Stack::running) is the stack with OpenSearch.

use std::cell::Cell;

thread_local! {
    /// The server of the thread that a test runs on. `tokio::test` polls the scenario on it; tasks that the scenario
    /// spawns do not see it.
    static SERVER: Cell<Server> = const { Cell::new(Server::Elasticsearch) };
}

/// A search server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The default.
    Elasticsearch,
    /// The server at `OPENSEARCH_PORT`.
    OpenSearch,
}

impl Server {
    /// Returns the server of the running scenario. Call this only from the scenario itself, not from its tasks.
    pub fn current() -> Self {
        SERVER.get()
    }

    /// Returns whether it is OpenSearch.
    pub fn is_opensearch(self) -> bool {
        self == Self::OpenSearch
    }

    /// Returns the type of a field that holds a map.
    pub fn map_type(self) -> &'static str {
        match self {
            Self::Elasticsearch => "flattened",
            Self::OpenSearch => "flat_object",
        }
    }
}

/// Runs `scenario`, a test function, on OpenSearch.
///
/// # Errors
/// The errors of the scenario.
pub fn on_opensearch(scenario: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    SERVER.set(Server::OpenSearch);
    let outcome = scenario();
    SERVER.set(Server::Elasticsearch);
    outcome
}

/// Creates tests that run the named scenarios of this file on OpenSearch.
#[macro_export]
macro_rules! on_opensearch {
    ($($scenario:ident),+ $(,)?) => {
        mod opensearch {
            $(
                #[test]
                fn $scenario() -> anyhow::Result<()> {
                    harness::server::on_opensearch(super::$scenario)
                }
            )+
        }
    };
}
