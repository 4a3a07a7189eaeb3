//! What a check has found.

use std::fmt;

use serde::Serialize;

use crate::commands::plain::plain;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, and may not for long, or is not safe enough.
    Warn,
    /// It does not work, or events are being lost.
    Fail,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// What was looked at, such as "kafka: topic cxone-events".
    pub subject: String,
    /// What was found.
    pub found: String,
    /// What to do about it; none where nothing has to be done.
    pub todo: Option<String>,
}

impl Finding {
    /// All is well with `subject`.
    pub(super) fn ok(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self { grade: Grade::Ok, subject: subject.into(), found: found.into(), todo: None }
    }

    /// It works, but `todo` should be done.
    pub(super) fn warn(subject: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { grade: Grade::Warn, subject: subject.into(), found: found.into(), todo: Some(todo.into()) }
    }

    /// It does not work until `todo` is done.
    pub(super) fn fail(subject: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { grade: Grade::Fail, subject: subject.into(), found: found.into(), todo: Some(todo.into()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Ok => "ok  ",
            Grade::Warn => "warn",
            Grade::Fail => "FAIL",
        };
        write!(f, "{grade}  {}: {}", plain(&self.subject), plain(&self.found))?;
        match &self.todo {
            Some(todo) => write!(f, "\n      -> {}", plain(todo)),
            None => Ok(()),
        }
    }
}
