//! The contents of the indexer's status page. To add a figure, add a row here for a metric of `metrics.rs`.

use service::status::layout::{Column, Figure, Layout, Measure, Node, Parts, Role, Show, Unit, all, only};

/// The page.
pub const LAYOUT: Layout = Layout {
    service: "indexer",
    version: env!("CARGO_PKG_VERSION"),
    nodes: &[
        Node {
            name: "Senders",
            role: Role::Elsewhere("post to receivers"),
            conditions: &[],
            figures: &[],
            beside: &[],
        },
        Node {
            name: "Receiver",
            role: Role::Elsewhere("has its own page"),
            conditions: &[],
            figures: &[],
            beside: &[],
        },
        Node { name: "Kafka", role: Role::Seen, conditions: &["kafka"], figures: KAFKA, beside: &[] },
        Node {
            name: "Indexer",
            role: Role::Here,
            conditions: &[],
            figures: INDEXER,
            beside: &[
                Node {
                    name: "Schema registry",
                    role: Role::Seen,
                    conditions: &["schema_registry"],
                    figures: &[],
                    beside: &[],
                },
                Node {
                    name: "Dead-letter topic",
                    role: Role::Seen,
                    conditions: &["dead_letters"],
                    figures: DEAD_LETTERS,
                    beside: &[],
                },
            ],
        },
        Node {
            name: "Elasticsearch",
            role: Role::Seen,
            conditions: &["elasticsearch", "index", "placement", "documents"],
            figures: ELASTICSEARCH,
            beside: &[],
        },
    ],
    parts: Parts { title: "Topics", label: "topic", columns: COLUMNS },
};

const KAFKA: &[Figure] = &[
    Figure {
        key: "read",
        label: "read",
        plot: Some("Records read"),
        unit: Unit::PerSecond,
        measure: Measure::PerSecond(all("penstock_indexer_consumed_records_total")),
    },
    Figure {
        key: "lag",
        label: "waiting",
        plot: Some("Records waiting"),
        unit: Unit::Count,
        measure: Measure::Sum(all("penstock_indexer_lag_records")),
    },
    Figure {
        key: "partitions",
        label: "partitions",
        plot: None,
        unit: Unit::Count,
        measure: Measure::Sum(all("penstock_indexer_assigned_partitions")),
    },
];

const INDEXER: &[Figure] = &[
    Figure {
        key: "held",
        label: "held",
        plot: None,
        unit: Unit::Bytes,
        measure: Measure::Sum(all("penstock_indexer_held_bytes")),
    },
    Figure {
        key: "oldest_unsettled",
        label: "oldest unsettled",
        plot: Some("Oldest unsettled record"),
        unit: Unit::Seconds,
        measure: Measure::Max(all("penstock_indexer_oldest_unsettled_seconds")),
    },
];

const DEAD_LETTERS: &[Figure] = &[Figure {
    key: "dead_letters",
    label: "written",
    plot: Some("Dead letters"),
    unit: Unit::PerMinute,
    measure: Measure::PerMinute(all("penstock_indexer_dead_letters_total")),
}];

const ELASTICSEARCH: &[Figure] = &[
    Figure {
        key: "indexed",
        label: "indexed",
        plot: Some("Documents indexed"),
        unit: Unit::PerSecond,
        measure: Measure::PerSecond(only("penstock_indexer_documents_total", "outcome", "indexed")),
    },
    Figure {
        key: "bulk_within",
        label: "99% of requests within",
        plot: Some("99% of bulk requests within"),
        unit: Unit::Seconds,
        measure: Measure::Within99(all("penstock_indexer_bulk_request_duration_seconds")),
    },
    Figure {
        key: "concurrency_limit",
        label: "requests at a time",
        plot: None,
        unit: Unit::Count,
        measure: Measure::Sum(all("penstock_indexer_concurrency_limit")),
    },
];

const COLUMNS: &[Column] = &[
    Column { name: "waiting", metric: "penstock_indexer_lag_records", show: Show::Sum(Unit::Count) },
    Column { name: "blocked by", metric: "penstock_indexer_blocked", show: Show::Label("reason") },
    Column {
        name: "breaker",
        metric: "penstock_indexer_breaker_state",
        show: Show::Word(&["closed", "probing", "open"]),
    },
    Column { name: "fuse", metric: "penstock_indexer_fuse_blown", show: Show::Word(&["whole", "blown"]) },
    Column { name: "consuming", metric: "penstock_indexer_paused", show: Show::Word(&["yes", "paused: no room"]) },
    Column { name: "requests at a time", metric: "penstock_indexer_concurrency_limit", show: Show::Sum(Unit::Count) },
    Column { name: "bulk body", metric: "penstock_indexer_batch_target_bytes", show: Show::Max(Unit::Bytes) },
];

#[cfg(test)]
mod tests;
