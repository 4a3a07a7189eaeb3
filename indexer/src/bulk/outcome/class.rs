//! The statuses and the error types that are told apart. Whatever is new to Elasticsearch falls into `Other...` or `Unknown`.

use super::answer::ErrorBody;

/// The statuses that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Success,
    BadRequest,
    Denied,
    NotFound,
    TimedOut,
    Conflict,
    TooLarge,
    TooMany,
    OtherClient,
    Server,
    Unknown,
}

impl Class {
    pub(super) fn of(status: u16) -> Self {
        match status {
            200 | 201 => Self::Success,
            400 => Self::BadRequest,
            401 | 403 => Self::Denied,
            404 => Self::NotFound,
            408 => Self::TimedOut,
            409 => Self::Conflict,
            413 => Self::TooLarge,
            429 => Self::TooMany,
            402..=499 => Self::OtherClient,
            500..=599 => Self::Server,
            _ => Self::Unknown,
        }
    }
}

/// The kinds of `error.type` that are told apart. The names are those of Elasticsearch's exceptions, the same from 7 to 9 and in
/// `OpenSearch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No error, or not one of Elasticsearch's.
    None,
    VersionConflict,
    ClusterBlock,
    IndexNotFound,
    IndexClosed,
    /// The shard is moving or starting; its index is there.
    ShardNotThere,
    /// The index cannot be created on the way: the cluster has as many shards as it may.
    IndexNotCreated,
    Other,
}

impl Kind {
    pub(super) fn of(error: Option<&ErrorBody>) -> Self {
        match error.and_then(|error| error.error_type.as_deref()) {
            None => Self::None,
            Some("version_conflict_engine_exception") => Self::VersionConflict,
            Some("cluster_block_exception") => Self::ClusterBlock,
            Some("index_not_found_exception") => Self::IndexNotFound,
            Some("index_closed_exception") => Self::IndexClosed,
            Some("validation_exception") => Self::IndexNotCreated,
            Some(
                "shard_not_found_exception"
                | "illegal_index_shard_state_exception"
                | "index_shard_closed_exception"
                | "index_shard_not_started_exception"
                | "index_shard_recovering_exception"
                | "index_shard_relocated_exception",
            ) => Self::ShardNotThere,
            Some(_) => Self::Other,
        }
    }

    /// Whether a request that is refused with 400 is refused for what is in it. A 400 without Elasticsearch's error, such as that of a proxy
    /// which speaks TLS, must not make dead letters of documents.
    pub(super) fn is_about_documents(self) -> bool {
        match self {
            Self::Other | Self::VersionConflict => true,
            Self::None
            | Self::ClusterBlock
            | Self::IndexNotFound
            | Self::IndexClosed
            | Self::ShardNotThere
            | Self::IndexNotCreated => false,
        }
    }
}
