//! Which log levels are taken.

use super::*;

#[test]
fn a_level_or_a_list_is_a_filter_and_the_rest_is_refused_with_the_key() {
    for level in ["info", "WARN", "info,rdkafka=warn", "shared::registry=debug,error", "off"] {
        filter(level).unwrap();
    }
    for level in ["", " ", "info,x=loud", "a=b=c"] {
        let error = init(&Log { level: level.to_owned(), format: LogFormat::Text }).unwrap_err();
        assert!(error.starts_with("log.level: "), "{error}");
    }
}
