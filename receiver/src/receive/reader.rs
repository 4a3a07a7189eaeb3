//! From an authentic body to the events in it: `decompress → unframe → schema → validate`. The receiver and the fuzzer
//! both go this way.

use axum::http::HeaderMap;
use tokio::time::Instant;

use crate::body_budget::BodyBudget;
use crate::message::Buffer;
use crate::reject::Rejection;
use crate::stages::unframe::{Form, Reading, unframe};
use crate::stages::validate::BatchLimits;
use crate::workers::Workers;

/// Reads bodies of one source, by the schemas that `S` finds. [`Reader::form`] comes first, then [`Reader::events`].
pub(crate) struct Reader<'a, S> {
    /// Where schemas come from.
    pub(crate) schemas: &'a S,
    /// What of a head may decide how its body is read.
    pub(crate) reading: &'a Reading,
    /// What one event may hold, and what a file, or a body once it is decompressed.
    pub(crate) limits: BatchLimits,
    /// Threads for what takes long.
    pub(crate) workers: &'a Workers,
}

impl<S> Reader<'_, S> {
    /// Takes the `Content-Encoding` off `body`, and returns the form that it has then. What it takes is counted in
    /// `budget`.
    ///
    /// # Errors
    /// Those of [`Reader::decompress`] and `Unframe`.
    pub(crate) async fn form(
        &self,
        head: &HeaderMap,
        body: &mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Form, Rejection> {
        self.decompress(head, body, budget, deadline).await?;
        unframe(head, body.body(), self.reading).map_err(Rejection::Unframe)
    }
}
