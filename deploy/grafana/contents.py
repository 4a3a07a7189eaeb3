"""The dashboards: each is a list of rows; a row is a title and a list of panels. `generate` writes them as JSON."""
from panels import ANY_IS_BAD, NONE_IS_BAD, OK_IS_ONE, good_warn_bad, panel, quantiles, rate, stat, state

SERVER_FAULTS = "schema-pending|schema-unavailable|overloaded|queue-full|kafka-refuses|kafka-unavailable|internal"
CONTENT_FAULTS = (
    "invalid-event|invalid-frame|ambiguous-frame|ambiguous-version|unknown-schema|unusable-schema|record-too-large|"
    "record-refused|too-large|unsupported-media-type|unsupported-content-encoding|invalid-content-encoding|"
    "invalid-container|too-many-events|empty-body"
)

RECEIVERS = stat(
    "Receivers", "Receivers that answer on their admin port.", "sum(penstock_receiver_build_info{r})", "none",
    NONE_IS_BAD, ("PenstockReceiverDown", "PenstockReceiverAbsent"))
INDEXERS = stat(
    "Indexers", "Indexers that answer on their admin port.", "sum(penstock_indexer_build_info{r})", "none",
    NONE_IS_BAD, ("PenstockIndexerDown", "PenstockIndexerAbsent"))
IN = stat("Events in", "Events per second that Kafka has acknowledged.", rate("penstock_receiver_events_total", "{s}"), "cps")
OUT = stat(
    "Documents out", "Documents per second that were indexed or were there already.",
    rate("penstock_indexer_documents_total", '{r}, outcome=~"indexed|duplicate"'), "cps")
BACKLOG = stat(
    "Records waiting", "Records between the committed offsets and the ends of the partitions.",
    "sum(penstock_indexer_lag_records{t})", "short", good_warn_bad(10_000, 1_000_000))
IN_AND_OUT = panel(
    "In and out", "The gap between the two is the rate at which the backlog in Kafka grows or shrinks.",
    (rate("penstock_receiver_events_total", "{s}"), "events acknowledged"),
    (rate("penstock_indexer_consumed_records_total", "{r}"), "records consumed"),
    (rate("penstock_indexer_documents_total", "{r}"), "documents settled"),
    unit="cps", size=(12, 8))
WEBHOOKS_LEFT = (
    "1 - (max(namespace_source:penstock_webhooks_failed:ratio_rate3d{namespace=~\"$namespace\", source=~\"$source\"}) "
    "or vector(0)) / 0.001")
FRESH_LEFT = (
    "1 - (max(namespace_topic:penstock_events_late:ratio_rate3d{namespace=~\"$namespace\", topic=~\"$topic\"}) "
    "or vector(0)) / 0.01")
BUDGET = (("red", 0), ("orange", 0.01), ("green", 0.5))


def ratios(record, by, windows):
    """Returns a query for each window of a recorded ratio."""
    label = f"{by}=~\"${by}\""
    return [(f'{record}:ratio_rate{window}{{namespace=~"$namespace", {label}}}', f"{{{{{by}}}}} {window}")
            for window in windows]


HEALTH = ("penstock-health", "Penstock: healthy, and if not, why", [
    ("Is it healthy?", [
        stat("Pages", "Alerts that need action now.",
             'count(ALERTS{alertstate="firing", alertname=~"Penstock.*", severity="page"}) or vector(0)', "none",
             ANY_IS_BAD),
        stat("Tickets", "Alerts for working hours.",
             'count(ALERTS{alertstate="firing", alertname=~"Penstock.*", severity="ticket"}) or vector(0)', "none",
             (("green", 0), ("orange", 1))),
        RECEIVERS,
        INDEXERS,
        stat("Budget of webhooks", "What is left of the error budget of three days: 99.9 % of the webhooks that could "
             "be accepted were.", WEBHOOKS_LEFT, "percentunit", BUDGET, ("PenstockWebhooksBurnSlow",)),
        stat("Budget of freshness", "What is left of the error budget of three days: 99 % of the events were "
             "searchable within 10 seconds.", FRESH_LEFT, "percentunit", BUDGET, ("PenstockFreshnessBurnSlow",)),
    ]),
    ("If not, why?", [
        panel("Alerts", "The runbook has a section for each alert.",
              ('ALERTS{alertstate="firing", alertname=~"Penstock.*"}', ""), kind="table", size=(12, 8)),
        state("Conditions", "A service is ready while all of its conditions are met; /readyz has the reasons.",
              ("min by (condition, topic) (penstock_receiver_condition_met{r})", "receiver: {{condition}} {{topic}}"),
              ("min by (condition, topic) (penstock_indexer_condition_met{r})", "indexer: {{condition}} {{topic}}"),
              steps=OK_IS_ONE, alerts=("PenstockNotReady",)),
        state("Elasticsearch is blocked", "1 while it accepts no documents until an operator fixes the cause.",
              ("max by (topic, reason) (penstock_indexer_blocked{t})", "{{topic}} {{reason}}"),
              steps=ANY_IS_BAD, alerts=("PenstockIndexerBlocked",)),
        state("Fuse", "1 while a topic is stopped because nearly all its records would become dead letters.",
              ("max by (topic) (penstock_indexer_fuse_blown{t})", "{{topic}}"),
              steps=ANY_IS_BAD, alerts=("PenstockFuseBlown",), width=6),
        state("Template", "1 while another index template takes precedence over Penstock's.",
              ("max by (index, template) (penstock_indexer_template_shadowed{r})", "{{index}}"),
              steps=ANY_IS_BAD, alerts=("PenstockTemplateShadowed",), width=6),
    ]),
    ("Are events refused or late?", [
        panel("Webhooks not acknowledged", "The share of webhooks that were answered 5xx, without those that are the "
              "sender's fault. The objective is 0.1 %.",
              *ratios("namespace_source:penstock_webhooks_failed", "source", ("5m", "1h", "6h")),
              unit="percentunit", size=(12, 8), steps=good_warn_bad(0.001, 0.0144),
              alerts=("PenstockWebhooksBurnFast",)),
        panel("Events not searchable in time", "The share of events that took more than 10 seconds from the webhook "
              "to Elasticsearch. The objective is 1 %.",
              *ratios("namespace_topic:penstock_events_late", "topic", ("5m", "1h", "6h")),
              unit="percentunit", size=(12, 8), steps=good_warn_bad(0.01, 0.144),
              alerts=("PenstockFreshnessBurnFast",)),
        panel("Oldest unsettled record", "How long the oldest record of a partition has been held.",
              ("max by (topic, partition) (penstock_indexer_oldest_unsettled_seconds{t})", "{{topic}} {{partition}}"),
              unit="s", steps=good_warn_bad(60, 600), alerts=("PenstockIndexerPartitionStuck",)),
        panel("Refused events", "Requests that were refused because of their content: their events are not stored.",
              (rate("penstock_receiver_requests_total", f'{{s}}, outcome=~"{CONTENT_FAULTS}"', ("source", "outcome")),
               "{{source}} {{outcome}}"), unit="reqps", alerts=("PenstockEventsRefused",)),
        panel("Dead letters", "Records that can never be indexed, by error type.",
              (rate("penstock_indexer_dead_letters_total", "{t}", ("topic", "stage", "type")),
               "{{topic}} {{stage}} {{type}}"), unit="cps", alerts=("PenstockDeadLetters",)),
    ]),
])

FLEET = ("penstock-fleet", "Penstock: fleet", [
    ("At a glance", [RECEIVERS, INDEXERS, IN, OUT, BACKLOG,
        stat("Dead letters, 1 h", "Records that went to the dead-letter topic in the last hour.",
             "sum(increase(penstock_indexer_dead_letters_total{t}[1h]))", "short", ANY_IS_BAD)]),
    ("Flow", [
        IN_AND_OUT,
        panel("Age of events", "From the webhook to Elasticsearch's acknowledgement.",
              *quantiles("penstock_indexer_event_age_seconds", ("topic",), "{t}", 0.5, 0.95, 0.99),
              unit="s", size=(12, 8), steps=good_warn_bad(5, 10)),
        panel("Events in by source", "Events that Kafka has acknowledged.", (rate("penstock_receiver_events_total", "{s}", ("source",)), "{{source}}"),
              unit="cps", stack=True),
        panel("Documents out by outcome", "Documents that Elasticsearch has answered, by outcome.",
              (rate("penstock_indexer_documents_total", "{r}", ("outcome",)), "{{outcome}}"), unit="cps", stack=True),
        panel("Backlog", "Records that wait, by topic.",
              ("sum by (topic) (penstock_indexer_lag_records{t})", "{{topic}}"),
              alerts=("PenstockIndexerFallingBehind", "PenstockIndexerStalled")),
    ]),
    ("Processes", [
        panel("CPU", "Cores in use.", ("sum by (job, instance) (rate(process_cpu_seconds_total{r}[$__rate_interval]) "
              "* on (job, instance) (penstock_receiver_build_info or penstock_indexer_build_info))",
              "{{instance}}"), unit="none"),
        panel("Memory", "Resident memory.", ("process_resident_memory_bytes{r} * on (job, instance) "
              "(penstock_receiver_build_info or penstock_indexer_build_info)", "{{instance}}"), unit="bytes"),
        panel("Open files", "The share of the allowed file descriptors that is in use.",
              ("process_open_fds{r} / process_max_fds{r} * on (job, instance) "
               "(penstock_receiver_build_info or penstock_indexer_build_info)", "{{instance}}"),
              unit="percentunit", steps=good_warn_bad(0.7, 0.9)),
        panel("Threads", "Threads of each process.", ("process_threads{r} * on (job, instance) "
              "(penstock_receiver_build_info or penstock_indexer_build_info)", "{{instance}}"), unit="none"),
        panel("Uptime", "Since the start of each process.",
              ("time() - process_start_time_seconds{r} * on (job, instance) "
               "(penstock_receiver_build_info or penstock_indexer_build_info)", "{{instance}}"), unit="s"),
        panel("Builds", "Version and revision of each instance.",
              ("penstock_receiver_build_info{r} or penstock_indexer_build_info{r}", ""), kind="table"),
        panel("Spans", "If tracing is on: exported, dropped because too many wait, failed because the collector does "
              "not accept them.",
              (rate("penstock_receiver_spans_total", "{r}", ("outcome",)), "receiver {{outcome}}"),
              (rate("penstock_indexer_spans_total", "{r}", ("outcome",)), "indexer {{outcome}}"), unit="cps"),
    ]),
])

RECEIVER = ("penstock-receiver", "Penstock: receiver", [
    ("Requests", [
        panel("Requests by outcome", "Accepted, or the code of the problem that was answered.",
              (rate("penstock_receiver_requests_total", "{s}", ("source", "outcome")) + " > 0", "{{source}} {{outcome}}"),
              unit="reqps", size=(12, 8), stack=True,
              alerts=("PenstockUnauthorized", "PenstockRateLimited", "PenstockReceiverInternalErrors")),
        panel("Answered 5xx", "Requests that senders must repeat.",
              (rate("penstock_receiver_requests_total", f'{{s}}, outcome=~"{SERVER_FAULTS}"', ("source", "outcome")),
               "{{source}} {{outcome}}"), unit="reqps", size=(12, 8),
              alerts=("PenstockReceiverOverloaded", "PenstockSchemaUnavailable")),
        panel("Request duration", "From the head of a request to its answer.",
              *quantiles("penstock_receiver_request_duration_seconds", ("source",), "{s}", 0.5, 0.95, 0.99),
              unit="s", steps=good_warn_bad(0.1, 1), alerts=("PenstockReceiverSlow",)),
        panel("Body bytes", "Bytes of bodies read, before decompression.",
              (rate("penstock_receiver_body_bytes_total", "{s}", ("source",)), "{{source}}"), unit="Bps"),
        panel("Unknown paths", "Requests to paths that no source has.",
              (rate("penstock_receiver_unrouted_requests_total", "{r}", ("instance",)), "{{instance}}"), unit="reqps",
              alerts=("PenstockUnknownPath", "PenstockUnrouted")),
    ]),
    ("Room", [
        panel("In flight", "Requests that have not been answered yet.",
              ("sum by (instance) (penstock_receiver_requests_in_flight{r})", "{{instance}}")),
        panel("Open connections", "Connections of clients and load balancers.",
              ("sum by (instance) (penstock_receiver_connections{r})", "{{instance}}")),
        panel("Refused connections", "Connections closed immediately: their address has too many, or the header of the "
              "PROXY protocol is missing or wrong.",
              (rate("penstock_receiver_refused_connections_total", "{r}", ("instance",)), "{{instance}} too many"),
              (rate("penstock_receiver_proxy_protocol_refusals_total", "{r}", ("reason",)), "PROXY protocol {{reason}}"),
              unit="cps", alerts=("PenstockProxyProtocolRefused",)),
    ]),
    ("Content", [
        panel("Invalid events", "By reason and field. A series begins with its first event.",
              (rate("penstock_receiver_invalid_events_total", "{s}", ("source", "reason", "field")),
               "{{source}} {{reason}} {{field}}"), unit="cps"),
        panel("Quarantine", "Bodies for the quarantine topic, by outcome.",
              (rate("penstock_receiver_quarantine_total", "{s}", ("source", "outcome")), "{{source}} {{outcome}}"),
              unit="cps", alerts=("PenstockQuarantineIncomplete",)),
        panel("Drift of schemas", "How often the latest schema was requested early; events of older versions; texts "
              "that are not UUIDs.",
              (rate("penstock_receiver_schema_drifts_total", "{s}", ("source",)), "{{source}} drifts"),
              (rate("penstock_receiver_older_version_events_total", "{s}", ("source",)), "{{source}} older versions"),
              (rate("penstock_receiver_odd_uuids_total", "{s}", ("source",)), "{{source}} odd UUIDs"),
              unit="cps", alerts=("PenstockSchemaDrift",)),
        panel("Schemas in use", "The schema id that bare datums get; 0 while no schema is known.",
              ("penstock_receiver_schema_info{s}", ""), kind="table"),
        state("Outdated or unusable", "1 while the latest schema or the secrets of a source cannot be used.",
              ("max by (source) (penstock_receiver_schema_outdated{s})", "{{source}} schema"),
              ("max by (source) (penstock_receiver_secrets_unusable{s})", "{{source}} secrets"),
              steps=ANY_IS_BAD, alerts=("PenstockSchemaOutdated", "PenstockSecretsUnusable"), width=8),
        panel("Pulls from CXone", "By outcome.",
              (rate("penstock_receiver_cxone_pulls_total", "{r}", ("outcome",)), "{{outcome}}"), unit="cps"),
        panel("Certificates", "Time until the first certificate of each file expires.",
              ("min by (instance, use) (penstock_receiver_certificate_expiry_timestamp_seconds{r}) - time()",
               "{{instance}} {{use}}"), unit="s", steps=(("red", 0), ("orange", 172_800), ("green", 1_814_400)),
              alerts=("PenstockCertificateExpiresSoon", "PenstockCertificateExpiresNow")),
    ]),
])

INDEXER = ("penstock-indexer", "Penstock: indexer", [
    ("Flow", [
        panel("Records consumed", "By instance.",
              (rate("penstock_indexer_consumed_records_total", "{r}", ("instance",)), "{{instance}}"), unit="cps"),
        panel("Age of events", "From the webhook to Elasticsearch's acknowledgement.",
              *quantiles("penstock_indexer_event_age_seconds", ("topic",), "{t}", 0.5, 0.99), unit="s",
              steps=good_warn_bad(5, 10)),
        panel("Bytes held", "Bytes of batches that are being filled, in flight, or waiting to be sent again.",
              ("sum by (instance, topic) (penstock_indexer_held_bytes{t})", "{{instance}} {{topic}}"), unit="bytes"),
        panel("Documents of a batch", "Small batches cost more for each document.",
              *quantiles("penstock_indexer_batch_documents", ("topic",), "{t}", 0.5, 0.95), unit="short"),
        panel("Bytes of a batch", "With the target that the limiter has set.",
              *quantiles("penstock_indexer_batch_bytes", ("topic",), "{t}", 0.5, 0.95),
              ("max by (instance, topic) (penstock_indexer_batch_target_bytes{t})", "{{instance}} {{topic}} target"),
              unit="bytes"),
        state("Paused", "1 while the indexer holds as much as it may.",
              ("max by (instance, topic) (penstock_indexer_paused{t})", "{{instance}} {{topic}}"),
              steps=(("green", 0), ("orange", 1)), alerts=("PenstockIndexerPaused",), width=8),
    ]),
    ("Partitions", [
        panel("Lag by partition", "Records between the committed offset and the end.",
              ("sum by (topic, partition) (penstock_indexer_lag_records{t})", "{{topic}} {{partition}}")),
        panel("Partitions assigned", "By instance; they should be spread evenly.",
              ("sum by (instance, topic) (penstock_indexer_assigned_partitions{t})", "{{instance}} {{topic}}"),
              unit="none", stack=True, alerts=("PenstockIndexerUnassigned",)),
        panel("Rebalances", "Changes of the assignment; \"lost\": the group had already given the partitions away.",
              ("sum by (instance, kind) (increase(penstock_indexer_rebalances_total{t}[5m]))", "{{instance}} {{kind}}"),
              unit="none", alerts=("PenstockRebalancing",)),
        panel("Partitions that wait", "Partitions whose next record needs a schema, or a newer list of backing indices.",
              ("sum by (topic, reason) (penstock_indexer_parked_partitions{t})", "{{topic}} {{reason}}"), unit="none"),
        panel("Records that had to wait", "The first record of each wait.",
              (rate("penstock_indexer_parked_records_total", "{t}", ("topic", "reason")), "{{topic}} {{reason}}"),
              unit="cps"),
        panel("Lost and read again", "Records that retention deleted unread, and partitions read from an earlier "
              "offset.",
              (rate("penstock_indexer_lost_records_total", "{t}", ("topic",)), "{{topic}} lost"),
              (rate("penstock_indexer_log_resets_total", "{t}", ("topic", "reason")), "{{topic}} {{reason}}"),
              unit="cps", steps=good_warn_bad(0.001, 0.001), alerts=("PenstockRecordsLost", "PenstockLogReset")),
    ]),
    ("Documents", [
        panel("Documents by outcome", "Documents that were indexed, were there already, were refused, or are sent again.",
              (rate("penstock_indexer_documents_total", "{r}", ("outcome",)), "{{outcome}}"),
              (rate("penstock_indexer_retried_documents_total", "{r}"), "sent again"), unit="cps", stack=True),
        panel("Dead letters by type", "Includes letters that were redriven and failed again, and the failure store.",
              (rate("penstock_indexer_dead_letters_total", "{t}", ("stage", "type")) + " > 0", "{{stage}} {{type}}"),
              (rate("penstock_indexer_redriven_dead_letters_total", "{t}"), "redriven before"),
              (rate("penstock_indexer_failure_store_documents_total", "{r}"), "failure store"), unit="cps"),
        panel("Duplicates and conflicts", "Duplicates by their proof; events with the id of another event.",
              (rate("penstock_indexer_duplicates_total", "{r}", ("proof",)), "duplicate: {{proof}}"),
              (rate("penstock_indexer_id_conflicts_total", "{t}", ("topic",)), "{{topic}} id conflict"),
              (rate("penstock_indexer_copies_total", "{t}", ("outcome",)), "second copy: {{outcome}}"),
              unit="cps", alerts=("PenstockIdConflicts",)),
        panel("Doubtful documents", "Refused documents of which it is unknown whether they or their index are at fault.",
              ("sum by (topic) (penstock_indexer_doubtful_documents{t})", "{{topic}} documents"),
              (rate("penstock_indexer_doubts_decided_total", "{t}", ("outcome",)), "decided a second: {{outcome}}"),
              unit="none"),
        panel("Oldest doubtful document", "How long the oldest doubtful document has been undecided.",
              ("max by (topic) (penstock_indexer_doubtful_oldest_seconds{t})", "{{topic}}"), unit="s",
              steps=good_warn_bad(60, 600), alerts=("PenstockDoubtfulDocuments",)),
        panel("Bytes of doubtful documents", "They count as bytes held.",
              ("sum by (topic) (penstock_indexer_doubtful_bytes{t})", "{{topic}}"), unit="bytes"),
    ]),
    ("Placement", [
        panel("Age of the index", "Which index documents go to.",
              (rate("penstock_indexer_placements_total", "{t}", ("topic", "age")), "{{topic}} {{age}}"), unit="cps",
              alerts=("PenstockExpired",)),
        panel("Source of the time", "Where the time comes from that chooses the index.",
              (rate("penstock_indexer_placement_times_total", "{t}", ("topic", "source")), "{{topic}} {{source}}"),
              unit="cps", alerts=("PenstockImplausibleTimes", "PenstockPlacedByRecord")),
        panel("Routes", "Why documents go to their index set. Zero without elasticsearch.routes.",
              (rate("penstock_indexer_routed_documents_total", "{t}", ("topic", "reason")), "{{topic}} {{reason}}"),
              unit="cps"),
        panel("Ids looked up", "Before writing, where an id may be in an older index.",
              (rate("penstock_indexer_lookups_total", "{t}", ("topic", "outcome")), "{{topic}} {{outcome}}"),
              unit="cps"),
        panel("Age of the list of indices", "The age of the list of backing indices when it was last used.",
              ("max by (topic) (penstock_indexer_placement_table_age_seconds{t})", "{{topic}}"), unit="s"),
        panel("Mapping conflicts", "Fields that have another type in an index than in the schema.",
              ("max by (topic) (penstock_indexer_mapping_conflicts{t})", "{{topic}}"), unit="none", steps=ANY_IS_BAD,
              alerts=("PenstockMappingConflict",)),
        panel("Field rules without a field", "Rules of elasticsearch.documents.fields that match no field of any schema.",
              ("max by (topic) (penstock_indexer_unmet_field_rules{t})", "{{topic}}"), unit="none", steps=ANY_IS_BAD,
              alerts=("PenstockFieldRuleUnmet",)),
    ]),
])

DEPENDENCIES = ("penstock-dependencies", "Penstock: Kafka and Elasticsearch", [
    ("Kafka | Elasticsearch", [
        panel("Kafka: produce duration", "From the producer's queue to Kafka's acknowledgement.",
              *quantiles("penstock_receiver_produce_duration_seconds", ("source",), "{s}", 0.5, 0.99),
              unit="s", size=(12, 8), steps=good_warn_bad(0.1, 1)),
        panel("Elasticsearch: bulk request duration", "From sending a bulk request to its answer.",
              *quantiles("penstock_indexer_bulk_request_duration_seconds", (), "{r}", 0.5, 0.99),
              unit="s", size=(12, 8), steps=good_warn_bad(5, 30)),
        panel("Kafka: records in", "Events that Kafka has acknowledged.",
              (rate("penstock_receiver_events_total", "{s}", ("source",)), "{{source}}"), unit="cps", size=(12, 8)),
        panel("Elasticsearch: bytes in", "Bytes of bulk bodies, before compression.",
              (rate("penstock_indexer_bulk_sent_bytes_total", "{r}", ("instance",)), "{{instance}}"), unit="Bps",
              size=(12, 8)),
        panel("Kafka: events not accepted", "Requests answered 503 because of Kafka; refusals that need an operator, by "
              "error.",
              (rate("penstock_receiver_requests_total", '{s}, outcome=~"kafka-unavailable|queue-full|kafka-refuses"',
                    ("source", "outcome")), "{{source}} {{outcome}}"),
              (rate("penstock_receiver_kafka_refusals_total", "{s}", ("source", "error")) + " > 0 or on () vector(0)",
               "{{source}} {{error}}"),
              unit="reqps", size=(12, 8), alerts=("PenstockKafkaUnavailable", "PenstockKafkaRefuses")),
        panel("Elasticsearch: bulk requests by outcome", "Requests with outcomes other than \"ok\" and \"partial\" are "
              "sent again.",
              (rate("penstock_indexer_bulk_requests_total", "{r}", ("outcome",)), "{{outcome}}"), unit="reqps",
              size=(12, 8)),
        panel("Kafka: producer's queue", "Records that wait for Kafka.",
              ("sum by (instance) (penstock_receiver_kafka_queue_records{r})", "{{instance}}"), size=(12, 8)),
        panel("Elasticsearch: requests at a time", "The current limit; it is halved when Elasticsearch is overloaded.",
              ("max by (instance, topic) (penstock_indexer_concurrency_limit{t})", "{{instance}} {{topic}}"),
              unit="none", size=(12, 8)),
        panel("Kafka: commits", "Commits of offsets, and failed commits.",
              (rate("penstock_indexer_commits_total", "{t}", ("topic",)), "{{topic}} commits"),
              (rate("penstock_indexer_commit_failures_total", "{t}", ("topic",)), "{{topic}} failed"), unit="cps",
              size=(12, 8), alerts=("PenstockCommitsFailing",)),
        state("Elasticsearch: breaker", "0: requests are sent; 1: a probe is in flight; 2: requests are held back.",
              ("max by (instance, topic) (penstock_indexer_breaker_state{t})", "{{instance}} {{topic}}"),
              steps=good_warn_bad(1, 2), alerts=("PenstockElasticsearchFailing",)),
    ]),
    ("Schema registry", [
        panel("Receivers' requests", "By outcome.",
              (rate("penstock_receiver_registry_request_duration_seconds_count", "{r}", ("outcome",)), "{{outcome}}"),
              unit="reqps", size=(6, 8), alerts=("PenstockRegistryUnavailable",)),
        panel("Indexers' requests", "By outcome.",
              (rate("penstock_indexer_registry_request_duration_seconds_count", "{r}", ("outcome",)), "{{outcome}}"),
              unit="reqps", size=(6, 8)),
        panel("Receivers' longest requests", "The 99th percentile over an hour.",
              ("histogram_quantile(0.99, sum by (le) (rate(penstock_receiver_registry_request_duration_seconds_bucket"
               "{r}[1h])))", "p99"), unit="s", size=(6, 8)),
        panel("Indexers' longest requests", "The 99th percentile over an hour.",
              ("histogram_quantile(0.99, sum by (le) (rate(penstock_indexer_registry_request_duration_seconds_bucket"
               "{r}[1h])))", "p99"), unit="s", size=(6, 8)),
    ]),
])

DASHBOARDS = (HEALTH, FLEET, RECEIVER, INDEXER, DEPENDENCIES)
