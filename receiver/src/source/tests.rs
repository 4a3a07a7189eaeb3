use service::metrics::Registry;

use super::*;
use crate::config::Auth;

pub(super) fn source(path: &str) -> crate::config::Source {
    crate::config::Source {
        path: path.to_owned(),
        subject: "events-value".to_owned(),
        accept_subjects: Vec::new(),
        older_versions: 3,
        topic: None,
        key_field: None,
        auth: Auth::None,
        verification: None,
        content_types: Vec::new(),
        limits: crate::config::Limits::default(),
        id_scope: None,
        register_schemas: false,
        quarantine: crate::config::Quarantine::default(),
    }
}

fn compile(sources: &[(&str, &str)]) -> Result<Vec<Arc<Source>>, SourceError> {
    let mut config = Config::default();
    config.receiver.sources = sources.iter().map(|(name, path)| ((*name).to_owned(), source(path))).collect();
    Source::compile_all(&config, &Metrics::new(&Registry::new()).unwrap())
}

#[test]
fn a_source_without_a_topic_uses_the_default_topic() {
    let sources = compile(&[("a", "/a"), ("b", "/b/events")]).unwrap();
    assert_eq!(sources.len(), 2);
    assert_eq!(sources[0].topic, Config::default().kafka.topic);
}

#[test]
fn a_config_without_sources_is_refused() {
    assert!(matches!(compile(&[]), Err(SourceError::None)));
}

#[test]
fn two_sources_cannot_share_a_path() {
    let error = compile(&[("a", "/events"), ("b", "/events")]).err().unwrap();
    assert!(error.to_string().starts_with("receiver.sources.b.path: /events is already"), "{error}");
}

#[test]
fn an_invalid_path_is_refused() {
    for path in ["", "events", "/{id}", "/*rest", "/:id", "/a?b", "/a b"] {
        assert!(matches!(compile(&[("a", path)]), Err(SourceError::Path { .. })), "{path}");
    }
}
