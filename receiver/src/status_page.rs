//! The contents of the receiver's status page. A new figure is a row here, from a metric in `metrics.rs`.

use service::status::layout::{Column, Figure, Layout, Measure, Node, Parts, Role, Show, Unit, all, except, only};

/// The layout of the page.
pub(crate) const LAYOUT: Layout = Layout {
    service: "receiver",
    version: env!("CARGO_PKG_VERSION"),
    nodes: &[
        Node { name: "Senders", role: Role::Seen, conditions: &[], figures: SENDERS, beside: &[] },
        Node {
            name: "Receiver",
            role: Role::Here,
            conditions: &["stopping"],
            figures: RECEIVER,
            beside: &[Node {
                name: "Schema registry",
                role: Role::Seen,
                conditions: &["schema"],
                figures: &[],
                beside: &[],
            }],
        },
        Node {
            name: "Kafka",
            role: Role::Seen,
            conditions: &["kafka"],
            figures: KAFKA,
            beside: &[Node { name: "Quarantine", role: Role::Seen, conditions: &[], figures: QUARANTINE, beside: &[] }],
        },
        Node { name: "Indexer", role: Role::Elsewhere("has its own page"), conditions: &[], figures: &[], beside: &[] },
        Node {
            name: "Elasticsearch",
            role: Role::Elsewhere("filled by indexers"),
            conditions: &[],
            figures: &[],
            beside: &[],
        },
    ],
    parts: Parts {
        title: "Sources",
        label: "source",
        columns: &[
            Column {
                name: "events since start",
                metric: "penstock_receiver_events_total",
                show: Show::Sum(Unit::Count),
            },
            Column { name: "schema id", metric: "penstock_receiver_schema_info", show: Show::Label("schema_id") },
            Column {
                name: "schema",
                metric: "penstock_receiver_schema_outdated",
                show: Show::Word(&["the latest", "an older one"]),
            },
            Column {
                name: "secrets",
                metric: "penstock_receiver_secrets_unusable",
                show: Show::Word(&["in use", "new ones unusable"]),
            },
        ],
    },
};

const SENDERS: &[Figure] = &[
    Figure {
        key: "requests",
        label: "requests",
        plot: None,
        unit: Unit::PerSecond,
        measure: Measure::PerSecond(all("penstock_receiver_requests_total")),
    },
    Figure {
        key: "refused",
        label: "refused",
        plot: Some("Requests refused"),
        unit: Unit::PerSecond,
        measure: Measure::PerSecond(except("penstock_receiver_requests_total", "outcome", "accepted")),
    },
    Figure {
        key: "connections",
        label: "connections",
        plot: None,
        unit: Unit::Count,
        measure: Measure::Sum(all("penstock_receiver_connections")),
    },
];

const RECEIVER: &[Figure] = &[
    Figure {
        key: "in_flight",
        label: "in flight",
        plot: Some("Requests in flight"),
        unit: Unit::Count,
        measure: Measure::Sum(all("penstock_receiver_requests_in_flight")),
    },
    Figure {
        key: "answered_within",
        label: "99% answered within",
        plot: Some("99% of requests answered within"),
        unit: Unit::Seconds,
        measure: Measure::Within99(all("penstock_receiver_request_duration_seconds")),
    },
];

const KAFKA: &[Figure] = &[
    Figure {
        key: "events",
        label: "events",
        plot: Some("Events acknowledged"),
        unit: Unit::PerSecond,
        measure: Measure::PerSecond(all("penstock_receiver_events_total")),
    },
    Figure {
        key: "acknowledged_within",
        label: "99% acknowledged within",
        plot: Some("99% of events acknowledged within"),
        unit: Unit::Seconds,
        measure: Measure::Within99(all("penstock_receiver_produce_duration_seconds")),
    },
    Figure {
        key: "queue",
        label: "in the queue",
        plot: Some("Records in the producer's queue"),
        unit: Unit::Count,
        measure: Measure::Sum(all("penstock_receiver_kafka_queue_records")),
    },
];

const QUARANTINE: &[Figure] = &[Figure {
    key: "quarantined",
    label: "kept since start",
    plot: None,
    unit: Unit::Count,
    measure: Measure::Sum(only("penstock_receiver_quarantine_total", "outcome", "written")),
}];

#[cfg(test)]
mod tests;
