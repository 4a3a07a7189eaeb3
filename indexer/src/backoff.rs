//! How long to wait before something is tried again: the services' common rule.

pub use service::backoff::Backoff;
