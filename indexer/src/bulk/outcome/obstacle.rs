//! Describes why a question about documents was not answered. Pure.

use std::fmt;

use super::block::{Block, BlockKind};
use super::class::{Class, Kind};
use super::trouble::{BulkFailure, MAX_DETAIL, Trouble};
use crate::elasticsearch::ServerAnswer;
use crate::elasticsearch::errors::{ErrorBody, request_error};

/// Why a question about documents was not answered. It is asked again, because a document is never at fault for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    /// The question failed for now.
    Failed(BulkFailure),
    /// An operator must fix something first.
    Block(Block),
}

impl Obstacle {
    /// Judges `answer`, which `index` gave to a whole question. `doing` says what the question was for.
    pub(in crate::bulk) fn of_answer(doing: &str, index: &str, answer: &ServerAnswer) -> Self {
        let error = request_error(&answer.body);
        let is_own = error.is_some();
        let error = error.unwrap_or_else(|| ErrorBody::of_text(answer.beginning()));
        Self::of(doing, index, answer.status, error, is_own)
    }

    /// Judges `error`, which `index` gave for one document of a question. It has no status of its own.
    pub(in crate::bulk) fn of_document(doing: &str, index: &str, error: ErrorBody) -> Self {
        let status = match Kind::of(Some(&error)) {
            Kind::ClusterBlock | Kind::Security => 403,
            Kind::IndexNotFound => 404,
            Kind::Failing | Kind::ShardNotThere | Kind::None => 503,
            Kind::VersionConflict
            | Kind::IndexClosed
            | Kind::IndexNotCreated
            | Kind::Document
            | Kind::NotMapped
            | Kind::Other => 400,
        };
        Self::of(doing, index, status, error, true)
    }

    /// Returns the failure of an answer of status 200 that could not be parsed, and `why`.
    pub(in crate::bulk) fn unreadable(doing: &str, index: &str, why: &str) -> Self {
        Self::Failed(BulkFailure { trouble: Trouble::Unreadable, detail: format!("{doing} in {index}: {why}") })
    }

    fn of(doing: &str, index: &str, status: u16, error: ErrorBody, is_own: bool) -> Self {
        let class = Class::of(status);
        let trouble = Trouble::of_status(status, Kind::of(Some(&error))).or(match class {
            Class::Server => Some(Trouble::Server),
            // The answer is from a proxy that did not reach Elasticsearch.
            Class::NotFound if !is_own => Some(Trouble::Server),
            _ => None,
        });
        if let Some(trouble) = trouble {
            let mut detail = format!("{doing} in {index}: status {status} {}: {}", error.type_or_none(), error.text());
            detail.truncate(detail.floor_char_boundary(MAX_DETAIL));
            return Self::Failed(BulkFailure { trouble, detail });
        }
        let mut block = Block::of_error(status, error);
        block.index = Some(index.to_owned());
        block.reason = format!("{doing}: {}", block.reason);
        if block.kind == BlockKind::Security {
            block.reason.push_str("; the indexer needs the privilege read");
        }
        Self::Block(block)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => write!(f, "{}: {}", failure.trouble.as_str(), failure.detail),
            Self::Block(block) => block.fmt(f),
        }
    }
}

impl From<BulkFailure> for Obstacle {
    fn from(failure: BulkFailure) -> Self {
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests;
