//! The result of a check.

use std::fmt;

use serde::Serialize;

use crate::commands::plain::plain;

/// The grade of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Everything is in order.
    Ok,
    /// It works, but may fail soon or is not safe enough.
    Warn,
    /// It does not work, or events are being lost.
    Fail,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The grade.
    pub grade: Grade,
    /// What was checked, for example "kafka: topic cxone-events".
    pub subject: String,
    /// What was found.
    pub found: String,
    /// What to do about it, or `None` if nothing.
    pub todo: Option<String>,
}

impl Finding {
    /// Reports that `subject` is in order.
    pub(super) fn ok(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self { grade: Grade::Ok, subject: subject.into(), found: found.into(), todo: None }
    }

    /// Reports that `subject` works, but `todo` should be done.
    pub(super) fn warn(subject: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { grade: Grade::Warn, subject: subject.into(), found: found.into(), todo: Some(todo.into()) }
    }

    /// Reports that `subject` does not work until `todo` is done.
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
