//! What a command exits with: the same codes for all commands of `penstock-indexer`.

use std::process::ExitCode;

use config::cli::{EX_CONFIG, EX_USAGE};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked for, and found nothing wrong: 0.
    Done,
    /// It could not do what it was asked for; standard error says why: 1.
    Failed,
    /// It found a difference, or something wrong, and has reported it: 2.
    Difference,
    /// The command line cannot be understood: 64, `EX_USAGE` of `sysexits.h`.
    Usage,
    /// The config cannot be used, or another indexer has the same `indexer.group_instance_id`: 78, `EX_CONFIG` of
    /// `sysexits.h`. A restart would not change that.
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

    /// Returns [`Exit::Difference`] where something `differs`, else [`Exit::Done`].
    pub fn of_difference(differs: bool) -> Self {
        if differs { Self::Difference } else { Self::Done }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
