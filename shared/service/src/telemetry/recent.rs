//! The last warnings and errors of the log, for the status page: at most `LINES` lines of at most `MAX_TEXT` bytes
//! each. They are also in the log, so they contain no secret. The process has one such list, as it has one log.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::layer::Context;

/// The number of lines to keep.
const LINES: usize = 50;
/// The most bytes of text per line.
const MAX_TEXT: usize = 1_024;

static KEPT: Mutex<VecDeque<Line>> = Mutex::new(VecDeque::new());

/// A line. A repeated text is the same line.
#[derive(Clone, Debug)]
pub struct Line {
    /// The time when it was last logged.
    pub at: SystemTime,
    /// Its level.
    pub level: Level,
    /// Its message and fields, as in the log.
    pub text: String,
    /// How often it was logged.
    pub times: u64,
}

/// Returns the kept lines, newest last.
pub fn lines() -> Vec<Line> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

/// Keeps the events that are logged as warnings or errors.
pub(super) struct Keep;

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return;
        }
        let mut text = Cut(String::new());
        // An error means that the text was cut.
        let _was_cut = DefaultFields::new().format_fields(Writer::new(&mut text), event).is_err();
        let line = Line { at: SystemTime::now(), level, text: text.0, times: 1 };
        keep(&mut KEPT.lock().unwrap_or_else(PoisonError::into_inner), line);
    }
}

fn keep(kept: &mut VecDeque<Line>, mut line: Line) {
    let same = kept.iter().position(|known| known.level == line.level && known.text == line.text);
    if let Some(before) = same.and_then(|place| kept.remove(place)) {
        line.times = before.times.saturating_add(1);
    }
    if kept.len() == LINES {
        kept.pop_front();
    }
    kept.push_back(line);
}

/// A text that stops after [`MAX_TEXT`] bytes and ends in an ellipsis then.
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = MAX_TEXT.saturating_sub(self.0.len());
        if text.len() <= left {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=left).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(text.get(..end).unwrap_or_default());
        self.0.push('…');
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests;
