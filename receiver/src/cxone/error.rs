//! Errors of CXone. They hold no secret, and of CXone's answers only words of a closed set.

/// Says why there is no schema from CXone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CxoneError {
    /// The config cannot be used.
    #[error("{0}")]
    Config(String),
    /// The token endpoint refuses the credentials.
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
        /// What the client must be enabled for.
        grant: String,
    },
    /// A fresh token does not give access to the schema.
    #[error(
        "{url} answered {status} to a fresh token, which may not read the schema; check cxone.scopes and the \
         client's permissions"
    )]
    Forbidden {
        /// The address of the schema.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// There is no schema at the path.
    #[error("{url} has no schema; check cxone.schema_path and the subject")]
    NotFound {
        /// The address of the schema.
        url: String,
    },
    /// CXone limits the rate of requests.
    #[error("{url} answered 429 and asks to wait {seconds} s, longer than one attempt waits; try again then")]
    Busy {
        /// The requested address.
        url: String,
        /// The requested wait.
        seconds: u64,
    },
    /// Another status that refuses the request.
    #[error("{url} answered {status}")]
    Status {
        /// The requested address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// There was no answer.
    #[error("{url} does not answer: {reason}")]
    Unreachable {
        /// The requested address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The answer cannot be used.
    #[error("{url} answered with {reason}")]
    Garbage {
        /// The requested address.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
}
