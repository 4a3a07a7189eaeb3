//! The exit codes, which are the same for all commands of `penstock-indexer`.

use std::process::ExitCode;

use config::cli::{EX_CONFIG, EX_USAGE};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command did its work and found nothing wrong: 0.
    Done,
    /// The command failed; standard error gives the reason: 1.
    Failed,
    /// The command found and reported a difference or a problem: 2.
    Difference,
    /// The command line is invalid: 64, `EX_USAGE` of `sysexits.h`.
    Usage,
    /// The config cannot be used, or another indexer has the same `indexer.group_instance_id`: 78, `EX_CONFIG` of
    /// `sysexits.h`. A restart would not help.
    Config,
}

impl Exit {
    /// Returns the exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Difference => 2,
            Self::Usage => EX_USAGE,
            Self::Config => EX_CONFIG,
        }
    }

    /// Returns [`Exit::Difference`] if something `differs`, and otherwise [`Exit::Done`].
    pub fn of_difference(differs: bool) -> Self {
        if differs { Self::Difference } else { Self::Done }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
