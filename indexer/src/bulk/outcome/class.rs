//! The statuses and error types that are distinguished. Any other falls into `Other...` or `Unknown`.

use crate::elasticsearch::errors::ErrorBody;

/// The statuses that are distinguished.
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

/// The kinds of `error.type` that are distinguished. The names are those of Elasticsearch's exceptions, which are the
/// same in versions 7 to 9 and, unless noted, in `OpenSearch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No error, or an error that is not Elasticsearch's.
    None,
    VersionConflict,
    ClusterBlock,
    IndexNotFound,
    IndexClosed,
    /// The shard is moving or starting; its index exists.
    ShardNotThere,
    /// The index cannot be created on demand: the cluster has reached its limit of shards.
    IndexNotCreated,
    /// Wrong credentials or missing privileges.
    Security,
    /// The document cannot be parsed, or contains something that no index accepts.
    Document,
    /// The document has a field that is missing from a strict mapping.
    NotMapped,
    /// A node or a shard fails or is unreachable. This is transient.
    Failing,
    Other,
}

/// Types that always mean that the document is at fault.
const DOCUMENT: &[&str] = &[
    "document_parsing_exception", // Elasticsearch since 8.8
    "mapper_parsing_exception",   // Elasticsearch before 8.8, and OpenSearch
    "x_content_parse_exception",
    "not_x_content_exception",
    "json_parse_exception", // Jackson's own exceptions, if nothing wraps them
    "json_e_o_f_exception",
    "input_coercion_exception",
    "stream_constraints_exception",
    "max_bytes_length_exceeded_exception", // Lucene's: a term of more than 32,766 bytes
    "action_request_validation_exception", // an id that is too long or empty
];

/// Types of a node or a shard that fails or is unreachable.
const FAILING: &[&str] = &[
    "already_closed_exception",
    "engine_closed_exception",
    "engine_failed_exception",
    "flush_failed_engine_exception",
    "refresh_failed_engine_exception",
    "translog_exception",
    "i_o_exception",
    "corrupt_index_exception",
    "node_closed_exception",
    "node_disconnected_exception",
    "node_not_connected_exception",
    "connect_transport_exception",
    "send_request_transport_exception",
    "receive_timeout_transport_exception",
    "no_node_available_exception",
    "no_shard_available_action_exception",
    "unavailable_shards_exception",
    "master_not_discovered_exception",
    "not_master_exception",
    "not_cluster_manager_exception", // OpenSearch since 2.0
    "failed_to_commit_cluster_state_exception",
    "process_cluster_event_timeout_exception",
    "retry_on_primary_exception",
    "retry_on_replica_exception",
    "es_rejected_execution_exception",
    "rejected_execution_exception",
    "circuit_breaking_exception",
    "out_of_memory_error",
];

/// Types of a shard that is not ready yet, or has gone.
const SHARD_NOT_THERE: &[&str] = &[
    "shard_not_found_exception",
    "illegal_index_shard_state_exception",
    "index_shard_closed_exception",
    "index_shard_not_started_exception",
    "index_shard_recovering_exception",
    "index_shard_relocated_exception",
    "primary_shard_closed_exception",
    "shard_not_in_primary_mode_exception",
];

impl Kind {
    pub(super) fn of(error: Option<&ErrorBody>) -> Self {
        Self::of_type(error.and_then(|error| error.error_type.as_deref()))
    }

    pub(super) fn of_type(error_type: Option<&str>) -> Self {
        match error_type {
            None => Self::None,
            Some("version_conflict_engine_exception") => Self::VersionConflict,
            // OpenSearch 3 names its block on new indices, which full disks cause, after the second type.
            Some("cluster_block_exception" | "index_create_block_exception") => Self::ClusterBlock,
            Some("index_not_found_exception") => Self::IndexNotFound,
            Some("index_closed_exception") => Self::IndexClosed,
            Some("validation_exception") => Self::IndexNotCreated,
            Some("security_exception") => Self::Security,
            Some("strict_dynamic_mapping_exception") => Self::NotMapped,
            Some(name) if DOCUMENT.contains(&name) => Self::Document,
            Some(name) if FAILING.contains(&name) => Self::Failing,
            Some(name) if SHARD_NOT_THERE.contains(&name) => Self::ShardNotThere,
            Some(_) => Self::Other,
        }
    }

    /// Returns whether only an operator can fix an error of this kind, answered with `status`.
    pub(super) fn is_block(self, status: u16) -> bool {
        let of_index = matches!(self, Self::ClusterBlock | Self::IndexClosed | Self::IndexNotCreated);
        of_index || status == 401 || (status == 403 && self == Self::Security)
    }
}
