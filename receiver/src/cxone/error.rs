//! Why CXone gives no schema. Holds no secret, and nothing of what CXone has answered but words of a closed set.

/// Why there is no schema from CXone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CxoneError {
    /// The config cannot be used.
    #[error("{0}")]
    Config(String),
    /// The token endpoint does not take the credentials.
    #[error(
        "{url} refuses a token with status {status}{code}. Likely causes: {keys} is wrong; the client is not enabled \
         for {grant}; cxone.tenant_url or the path belongs to another tenant or region"
    )]
    Refused {
        /// The token endpoint.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The error code of RFC 6749, section 5.2, with a comma before it, or nothing.
        code: String,
        /// The config keys of the credentials.
        keys: &'static str,
        /// What the client has to be enabled for.
        grant: String,
    },
    /// A token that was just given is not good for the schema.
    #[error(
        "{url} answered {status} to a fresh token, which may not read the schema; check cxone.scopes and the \
         client's permissions"
    )]
    Forbidden {
        /// Where the schema should be.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// There is no schema at the path.
    #[error("{url} has no schema; check cxone.schema_path and the subject")]
    NotFound {
        /// Where the schema should be.
        url: String,
    },
    /// CXone has had enough of our requests.
    #[error("{url} answered 429 and asks to wait {seconds} s, longer than one attempt waits; try again then")]
    Busy {
        /// What was asked.
        url: String,
        /// How long.
        seconds: u64,
    },
    /// Another status that says no.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// There was no answer.
    #[error("{url} does not answer: {reason}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What happened.
        reason: String,
    },
    /// There was an answer, but not one that can be used.
    #[error("{url} answered with {reason}")]
    Garbage {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}
