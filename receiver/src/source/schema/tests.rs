use std::sync::atomic::{AtomicUsize, Ordering};

use service::admin::Readiness;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::config::Config;
use crate::metrics::Metrics;
use registry::wire::SchemaId;

/// As after a registry was emptied, or restored from a backup that lacks its newest schemas.
#[test]
fn a_known_id_with_another_schema_becomes_current() {
    let metrics = Metrics::new(&service::metrics::Registry::new()).unwrap();
    let mut config = Config::default();
    config.receiver.sources = [("a".to_owned(), super::super::tests::source("/a"))].into();
    let source = Source::compile_all(&config, &metrics).unwrap().remove(0);
    let registered =
        |text: &str| RegisteredSchema { id: SchemaId(7), schema: Arc::new(avro::Schema::parse(text).unwrap()) };
    for text in [r#""long""#, r#""string""#] {
        let latest = registered(text);
        use_as_current(&source, &latest).unwrap();
        let current = source.current.load_full().unwrap();
        assert_eq!(current.schema.meaning(), latest.schema.meaning(), "{text}");
    }
    let generation = source.generation();
    use_as_current(&source, &registered(r#"{"type": "string", "doc": "the same"}"#)).unwrap();
    assert_eq!(source.generation(), generation, "nothing has changed");
}

/// Counts the warnings.
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_schema_that_stays_unusable_is_logged_once() {
    let outdated = || Ok(Some("schema id 2 cannot be used".to_owned()));
    let condition = Readiness::new().condition("schema");
    let mut report = Report { condition, logged: String::new(), was_ready: false };
    let warnings = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Warnings(Arc::clone(&warnings)), || {
        let mut logged_after = |results: Vec<Result<Option<String>, String>>| {
            report.round(results);
            warnings.load(Ordering::Relaxed)
        };
        for _ in 0..10 {
            assert_eq!(logged_after(vec![outdated()]), 1);
        }
        assert_eq!(logged_after(vec![Ok(None)]), 1);
        assert_eq!(logged_after(vec![outdated()]), 2, "it was usable meanwhile");
        assert_eq!(logged_after(vec![Err("the registry is down".to_owned())]), 3);
    });
}
