//! The accepted log levels, and the limits on lines of dependencies.

use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;

/// Captures what is written.
#[derive(Clone, Default)]
struct CapturedLines(Arc<Mutex<Vec<u8>>>);

impl Write for CapturedLines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns the lines that `work` logs.
fn logged(format: LogFormat, work: impl FnOnce()) -> Vec<String> {
    let kept = CapturedLines::default();
    let out = kept.clone();
    let lines = Lines::new(move || out.clone(), format, "penstock-receiver");
    let subscriber = tracing_subscriber::fmt().with_writer(lines).with_ansi(false);
    match format {
        LogFormat::Text => tracing::subscriber::with_default(subscriber.finish(), work),
        LogFormat::Json => tracing::subscriber::with_default(subscriber.json().flatten_event(true).finish(), work),
    }
    let bytes = kept.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn lines_of_dependencies_are_limited_in_number_and_length() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let lines = logged(format, || {
            for _ in 0..10_000 {
                tracing::warn!(target: "apache_avro::schema::parser", text = "x".repeat(1_000), "Ignoring it.");
            }
            tracing::warn!(target: "registry", "Ours.");
        });
        assert_eq!(lines.len(), 101, "{format:?}");
        assert!(lines[100].contains("Ours."));
        let long = logged(format, || {
            tracing::warn!(target: "log", text = "é".repeat(1_000_000), "Ignoring it.");
            tracing::warn!(target: "receiver", text = "é".repeat(1_000_000), "Ours.");
        });
        assert_eq!(long.len(), 2);
        assert!(long[0].len() < 3_000 && long[1].len() < 20_000, "{} {}", long[0].len(), long[1].len());
        if matches!(format, LogFormat::Json) {
            for line in long {
                let cut: serde_json::Value = serde_json::from_str(&line).unwrap();
                assert_eq!((&cut["level"], &cut["message"]), (&"WARN".into(), &"A line of the log was cut.".into()));
            }
        }
    }
}

/// A registry's refusal quotes the schema that a sender sent.
#[test]
fn a_value_with_line_breaks_is_logged_on_one_line() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let lines = logged(format, || {
            tracing::warn!(target: "receiver", error = %"no\r\n2026-01-02T03:04:05Z ERROR receiver: forged", "Refused.");
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(r"no\r\n2026"), "{lines:?}");
    }
}

#[test]
fn each_json_line_names_its_service() {
    let lines = logged(LogFormat::Json, || {
        tracing::info!(topic = "calls", request_id = None::<&str>, "First.");
        tracing::info!(target: "registry", text = "é".repeat(1_000_000), "Long.");
    });
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["service"], "penstock-receiver", "{line}");
        assert!(line.get("request_id").is_none(), "a field without a value is none");
    }
}

#[test]
fn an_invalid_log_level_is_refused_with_its_key() {
    for level in ["info", "WARN", "info,rdkafka=warn", "registry=debug,error", "off"] {
        filter(level).unwrap();
    }
    for level in ["", " ", "info,x=loud", "a=b=c"] {
        let error = init(&Log { level: level.to_owned(), format: LogFormat::Text }, "penstock-receiver").unwrap_err();
        assert!(error.starts_with("log.level: "), "{error}");
    }
}
