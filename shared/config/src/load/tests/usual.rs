//! `OTEL_…`.

use super::*;

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

#[test]
fn opentelemetry_variables_set_keys_that_nothing_else_sets() {
    let environment = [
        ENDPOINT,
        ("OTEL_SERVICE_NAME", "webhooks"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret, x-tenant = a%20b,odd,=none"),
    ];
    let tracing = loaded("tracing:\n", &environment).tracing;
    assert_eq!(tracing.otlp_endpoint.as_deref(), Some("http://collector:4318"));
    assert_eq!(tracing.service_name.as_deref(), Some("webhooks"));
    assert_eq!(tracing.sample_ratio, 0.25);
    let headers: Vec<_> = tracing.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("api-key", "s3cret"), ("x-tenant", "a b")]);
    assert!(!format!("{tracing:?}").contains("s3cret"));
}

#[test]
fn the_file_and_penstock_variables_override_opentelemetry() {
    let text = "tracing: {otlp_endpoint: 'http://mine:4318', headers: {}}";
    let environment = [ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a"), ("OTEL_SERVICE_NAME", "theirs")];
    let own = ("PENSTOCK__TRACING__SERVICE_NAME", "mine");
    let tracing = loaded(text, &[&environment[..], &[own]].concat()).tracing;
    assert_eq!(tracing.otlp_endpoint.as_deref(), Some("http://mine:4318"));
    assert_eq!(tracing.service_name.as_deref(), Some("mine"));
    assert!(tracing.headers.is_empty());
    let whole = ("PENSTOCK__TRACING", "{sample_ratio: 0.5}");
    assert_eq!(loaded("", &[ENDPOINT, whole]).tracing.otlp_endpoint, None);
}

#[test]
fn a_collector_without_http_or_switched_off_is_ignored() {
    for other in [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_SDK_DISABLED", "true")] {
        assert_eq!(loaded("", &[ENDPOINT, other]).tracing.otlp_endpoint, None);
    }
    let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    assert!(loaded("", &[ENDPOINT, http]).tracing.otlp_endpoint.is_some());
    assert_eq!(loaded("", &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]).tracing.otlp_endpoint, None);
}

#[test]
fn each_sampler_sets_a_ratio() {
    for (sampler, ratio) in [("always_on", 1.0), ("parentbased_always_off", 0.0), ("jaeger_remote", 1.0)] {
        assert_eq!(loaded("", &[("OTEL_TRACES_SAMPLER", sampler)]).tracing.sample_ratio, ratio);
    }
}
