//! Writes log lines. Each line has a maximum length, and dependencies may write only a limited number in a while, since
//! their texts may repeat what a sender sends. Each event is exactly one line, whatever its values contain, so nobody
//! can forge a second one.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use crate::telemetry::LogFormat;

/// The most bytes of one of our lines.
const MAX_OURS: usize = 16 * 1024;
/// The most bytes of a dependency's line.
const MAX_THEIRS: usize = 2 * 1024;
/// The most lines of all dependencies together within [`WINDOW`].
const THEIR_LINES: u32 = 100;
/// The window for [`THEIR_LINES`].
const WINDOW: Duration = Duration::from_secs(10);
/// The first segments of our own log targets.
const OURS: [&str; 11] = [
    "avro",
    "config",
    "harness",
    "indexer",
    "kafka",
    "penstock_indexer",
    "penstock_receiver",
    "receiver",
    "registry",
    "service",
    "topic_id",
];

/// Makes a writer for each line.
pub(super) struct Lines<M> {
    inner: M,
    format: LogFormat,
    service: &'static str,
    theirs: Mutex<Theirs>,
}

/// Counts the lines of dependencies in this window.
struct Theirs {
    begin: Instant,
    written: u32,
    left_out: u64,
}

/// A writer of one line.
pub(super) struct Line<W> {
    /// `None` if the line is suppressed.
    inner: Option<W>,
    format: LogFormat,
    service: &'static str,
    level: Level,
    max: usize,
}

impl<M> Lines<M> {
    /// Returns a maker for lines of `service` in `format` that go to `inner`.
    pub(super) fn new(inner: M, format: LogFormat, service: &'static str) -> Self {
        let theirs = Mutex::new(Theirs { begin: Instant::now(), written: 0, left_out: 0 });
        Self { inner, format, service, theirs }
    }

    /// Returns whether one more line of a dependency may be written. If a new window begins, also returns how many
    /// lines the last one suppressed.
    fn admit(&self, now: Instant) -> (bool, u64) {
        let mut theirs = self.theirs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left_out = 0;
        if now.saturating_duration_since(theirs.begin) >= WINDOW {
            left_out = theirs.left_out;
            *theirs = Theirs { begin: now, written: 0, left_out: 0 };
        }
        if theirs.written < THEIR_LINES {
            theirs.written += 1;
            return (true, left_out);
        }
        theirs.left_out += 1;
        (false, left_out)
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Lines<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        let (inner, format, service) = (Some(self.inner.make_writer()), self.format, self.service);
        Line { inner, format, service, level: Level::INFO, max: MAX_OURS }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        let is_ours = OURS.contains(&meta.target().split("::").next().unwrap_or_default());
        let (admitted, left_out) = if is_ours { (true, 0) } else { self.admit(Instant::now()) };
        if left_out > 0 {
            tracing::warn!(left_out, "Suppressed log lines of dependencies.");
        }
        Line {
            inner: admitted.then(|| self.inner.make_writer_for(meta)),
            format: self.format,
            service: self.service,
            level: *meta.level(),
            max: if is_ours { MAX_OURS } else { MAX_THEIRS },
        }
    }
}

impl<W: Write> Write for Line<W> {
    /// Writes a whole line, as `tracing_subscriber` hands it over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.inner else { return Ok(line.len()) };
        let (len, line) = (line.len(), one_line(line));
        if line.len() <= self.max {
            match (self.format, line.strip_prefix(b"{")) {
                // It comes before all other fields, since their names may be anything.
                (LogFormat::Json, Some(fields)) => {
                    write!(inner, "{{\"service\":\"{}\",", self.service)?;
                    inner.write_all(fields)?;
                }
                _ => inner.write_all(&line)?,
            }
            return Ok(len);
        }
        let begin = String::from_utf8_lossy(line.get(..self.max).unwrap_or(&line));
        match self.format {
            LogFormat::Text => writeln!(inner, "{begin}… (cut: {} bytes)", line.len())?,
            // Part of a JSON object would be invalid, so another object replaces it.
            LogFormat::Json => {
                let message = "A line of the log was cut.";
                let (service, level, bytes) = (self.service, self.level.as_str(), line.len());
                let cut =
                    json!({"service": service, "level": level, "message": message, "bytes": bytes, "begin": begin});
                writeln!(inner, "{cut}")?;
            }
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// Returns `line` with all line breaks escaped except the one at its end.
fn one_line(line: &[u8]) -> Cow<'_, [u8]> {
    let (text, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |text| (text, b"\n"));
    if !text.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Cow::Borrowed(line);
    }
    let escaped = text.iter().flat_map(|byte| match byte {
        b'\n' => b"\\n".as_slice(),
        b'\r' => b"\\r".as_slice(),
        other => std::slice::from_ref(other),
    });
    Cow::Owned(escaped.chain(end).copied().collect())
}
