//! Reads a request's body into one buffer, within a limit and a deadline.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::Version;
use futures::StreamExt;
use registry::wire::{self, FRAME_LEN, SchemaId};
use tokio::time::{Instant, timeout, timeout_at};

use super::anteroom::Waiter;
use super::held::{Held, NoRoom};
use crate::reject::Rejection;

/// What is reserved for a body on its word alone. Longer bodies get their room as they arrive, so that a `Content-Length` costs
/// the receiver nothing.
const TRUSTED_LENGTH: u64 = 8 * 1024;

/// A body that nobody wants is let arrive up to this length.
const DISCARDED_LENGTH: u64 = 64 * 1024;

/// How long a body that nobody wants may take to arrive.
const DISCARD: Duration = Duration::from_secs(1);

/// A body, with room for a frame before it: the frame of a bare datum is put there, so that the body is never moved (P2).
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    covered: Option<Covered>,
}

/// What a frame within the body stands on.
#[derive(Debug)]
struct Covered {
    /// Where the frame begins.
    begin: usize,
    /// What was there.
    bytes: [u8; FRAME_LEN],
}

impl Buffer {
    /// An empty body, with room for `body` bytes.
    pub(crate) fn with_capacity(body: usize) -> Self {
        let mut bytes = Vec::with_capacity(FRAME_LEN + body);
        bytes.resize(FRAME_LEN, 0);
        Self { bytes, covered: None }
    }

    /// [`Buffer::with_capacity`], counted in `held`.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub(crate) fn counted(body: usize, held: &mut Held) -> Result<Self, NoRoom> {
        let mut bytes = Vec::new();
        held.reserve(&mut bytes, FRAME_LEN + body, FRAME_LEN + body)?;
        bytes.resize(FRAME_LEN, 0);
        Ok(Self { bytes, covered: None })
    }

    /// The bytes that it takes in memory.
    pub(crate) fn allocated(&self) -> usize {
        self.bytes.capacity()
    }

    /// The body as it was received, unless a frame was put into it and not taken out again.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(FRAME_LEN..).unwrap_or_default()
    }

    /// The room for a frame, and the body: what is appended is appended to the body.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Puts the frame of `id` before byte `datum` of the body, over what was there. Takes out the one put before.
    pub(crate) fn frame(&mut self, datum: usize, id: SchemaId) {
        self.unframe();
        // The room before the body is as long as a frame.
        if let Some(room) = self.frame_at(datum) {
            let bytes = std::mem::replace(room, wire::frame(id));
            self.covered = Some(Covered { begin: datum, bytes });
        }
    }

    /// The frame that was put last, and the datum behind it.
    pub(crate) fn with_frame(&self) -> &[u8] {
        let begin = self.covered.as_ref().map_or(FRAME_LEN, |covered| covered.begin);
        self.bytes.get(begin..).unwrap_or_default()
    }

    /// Puts back what a frame stood on.
    pub(crate) fn unframe(&mut self) {
        if let Some(Covered { begin, bytes }) = self.covered.take()
            && let Some(room) = self.frame_at(begin)
        {
            *room = bytes;
        }
    }

    fn frame_at(&mut self, begin: usize) -> Option<&mut [u8; FRAME_LEN]> {
        self.bytes.get_mut(begin..)?.first_chunk_mut()
    }
}

/// Lets a small body of HTTP/2 arrive, although nobody wants it: a stream that is answered before its end has to be reset, which some
/// clients (curl before 8) take for a failure instead of reading the answer. HTTP/1 has no need of it.
pub(crate) async fn discard(version: Version, body: Body) {
    let small = body.size_hint().exact().is_some_and(|bytes| bytes <= DISCARDED_LENGTH);
    if version < Version::HTTP_2 || !small {
        return;
    }
    let mut chunks = body.into_data_stream();
    let reading = async { while let Some(Ok(_)) = chunks.next().await {} };
    // Whoever is slower than this has to read the answer as it comes.
    timeout(DISCARD, reading).await.ok();
}

/// Reads the whole of `body`, which must be at most `limit` bytes and there by `deadline`. What it takes is counted in `held`; a `waiter`
/// asks others to give way where those who wait hold too much.
///
/// # Errors
/// `TooLarge`, before reading anything where the length was announced, else as soon as the limit is passed; `Overloaded`;
/// `BodyTimeout`; `BodyBroken`. In each case what remains is not read.
pub(crate) async fn read(
    body: Body,
    limit: usize,
    deadline: Instant,
    held: &mut Held,
    waiter: Option<&Waiter<'_>>,
) -> Result<Buffer, Rejection> {
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        return Err(Rejection::TooLarge(limit));
    }
    let most = body.size_hint().upper().and_then(|upper| usize::try_from(upper).ok()).unwrap_or(limit).min(limit);
    // At most 8 KiB, so that it fits any `usize`.
    let mut buffer = Buffer::counted(announced.min(TRUSTED_LENGTH) as usize, held)?;
    let mut chunks = body.into_data_stream();
    loop {
        let chunk = match timeout_at(deadline, chunks.next()).await {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(None) => return Ok(buffer),
            Ok(Some(Err(_))) => return Err(Rejection::BodyBroken),
            Err(_) => return Err(Rejection::BodyTimeout),
        };
        if chunk.len() > limit - buffer.body().len() {
            return Err(Rejection::TooLarge(limit));
        }
        while let Err(error) = held.reserve(&mut buffer.bytes, chunk.len(), FRAME_LEN + most) {
            let making_room = match (error, waiter) {
                (NoRoom::ForStrangers, Some(waiter)) => timeout_at(deadline, waiter.make_room()).await,
                _ => return Err(Rejection::Overloaded),
            };
            making_room.map_err(|_| Rejection::Overloaded)?;
        }
        buffer.bytes.extend_from_slice(&chunk);
    }
}

#[cfg(test)]
impl From<&[u8]> for Buffer {
    fn from(body: &[u8]) -> Self {
        let mut buffer = Self::with_capacity(body.len());
        buffer.bytes.extend_from_slice(body);
        buffer
    }
}
