//! How long to wait before something is retried: the rule that all services share.

pub use service::backoff::Backoff;
