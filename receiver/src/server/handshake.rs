//! Counts the bytes of a TLS handshake like those of an incomplete head: both come before any authentication.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::Head;
use crate::body_budget::MemoryBudget;

/// The bytes of each handshake that do not count. A client with certificates sends fewer, and a connection takes more
/// later anyway.
const FREE: usize = 16 * 1024;

/// A stream whose bytes are counted until the handshake is over.
pub(super) struct Handshake<S> {
    stream: S,
    /// The bytes of the handshake so far; `None` once it is over.
    messages: Option<Head>,
}

impl<S> Handshake<S> {
    /// Wraps `stream`, whose handshake begins. Counts its bytes in `all`.
    pub(super) fn begin(stream: S, all: &MemoryBudget) -> Self {
        Self { stream, messages: Some(Head::new(all, FREE)) }
    }

    /// Notes that the handshake is over.
    pub(super) fn end(&mut self) {
        self.messages = None;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Handshake<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let Some(messages) = &mut this.messages {
            messages.grow(buffer.filled().len() - before)?;
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Handshake<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
