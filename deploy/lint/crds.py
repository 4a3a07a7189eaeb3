"""Strict JSON schemas of kinds that Kubernetes itself does not have, with only the fields that the chart uses.

If the chart needs another field of such a kind, look it up in that project's reference and add it here.
"""

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
POSITIVE = {"type": "integer", "minimum": 1}
LABELS = {"type": "object", "additionalProperties": TEXT}


def fields(properties, required=()):
    """Returns the schema of an object that has these fields and no others."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def some(items):
    """Returns the schema of a list that is not empty."""
    return {"type": "array", "items": items, "minItems": 1}


def manifest(spec):
    """Returns the schema of a manifest with this spec."""
    metadata = fields({"name": TEXT, "namespace": TEXT, "labels": LABELS, "annotations": LABELS}, ["name"])
    known = {"apiVersion": TEXT, "kind": TEXT, "metadata": metadata, "spec": spec}
    return fields(known, known)


KAFKA_TRIGGER = fields(
    {
        "type": {"const": "kafka"},
        "metadata": fields(
            {
                "bootstrapServers": TEXT,
                "consumerGroup": TEXT,
                "topic": TEXT,
                "lagThreshold": TEXT,
                "offsetResetPolicy": {"enum": ["earliest", "latest"]},
                "allowIdleConsumers": {"enum": ["true", "false"]},
            },
            ["bootstrapServers", "consumerGroup", "topic"],
        ),
        "authenticationRef": fields({"name": TEXT}, ["name"]),
    },
    ["type", "metadata"],
)

SCALED_OBJECT = fields(
    {
        "scaleTargetRef": fields({"apiVersion": TEXT, "kind": TEXT, "name": TEXT}, ["name"]),
        # Not 0: an indexer also notices a re-created topic, and keeps the mapping up to date.
        "minReplicaCount": POSITIVE,
        "maxReplicaCount": POSITIVE,
        "advanced": fields({"horizontalPodAutoscalerConfig": {"type": "object"}}),
        "triggers": some(KAFKA_TRIGGER),
    },
    ["scaleTargetRef", "triggers"],
)

POD_MONITOR = fields(
    {
        "selector": fields({"matchLabels": LABELS}),
        "podMetricsEndpoints": some(fields({"port": TEXT, "path": TEXT, "interval": TEXT}, ["port"])),
    },
    ["selector", "podMetricsEndpoints"],
)

RULE = fields({"alert": TEXT, "record": TEXT, "expr": TEXT, "for": TEXT, "labels": LABELS, "annotations": LABELS}, ["expr"])
PROMETHEUS_RULE = fields(
    {"groups": some(fields({"name": TEXT, "interval": TEXT, "rules": some(RULE)}, ["name", "rules"]))}, ["groups"]
)

MATCH = fields({"path": fields({"type": {"enum": ["Exact", "PathPrefix"]}, "value": TEXT}, ["type", "value"])})
BACKEND = fields({"name": TEXT, "port": NUMBER}, ["name", "port"])
HTTP_ROUTE = fields(
    {
        "parentRefs": some(fields({"name": TEXT, "namespace": TEXT, "sectionName": TEXT}, ["name"])),
        "hostnames": some(TEXT),
        "rules": some(fields({"matches": some(MATCH), "backendRefs": some(BACKEND)}, ["matches", "backendRefs"])),
    },
    ["parentRefs", "hostnames", "rules"],
)

SCHEMAS = {
    "keda.sh/v1alpha1/ScaledObject": manifest(SCALED_OBJECT),
    "monitoring.coreos.com/v1/PodMonitor": manifest(POD_MONITOR),
    "monitoring.coreos.com/v1/PrometheusRule": manifest(PROMETHEUS_RULE),
    "gateway.networking.k8s.io/v1/HTTPRoute": manifest(HTTP_ROUTE),
}
