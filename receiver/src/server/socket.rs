//! A connection that neither waits for ever, at its beginning or for a reader that does not read, nor cuts off an
//! answer at its end.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::head::{self, Head};
use crate::body_budget::MemoryBudget;
use crate::client::Client;

/// Bytes that are read at a time, at most. A read that fills hyper's buffer, of 8 KiB at first, makes it grow to
/// [`MAX_HEAD`](super::MAX_HEAD), and it stays so for as long as the connection does.
const AT_A_TIME: u64 = 8 * 1024 - 1;
/// How long is read, and discarded, after the last answer.
const LINGER: Duration = Duration::from_secs(2);
/// How much is discarded at most.
const LINGER_LEN: usize = 4 * 1024 * 1024;

/// A stream with these additions:
///
/// - The head of the first request must be there in time, however slowly it drips: hyper's time-out for a head starts only once it
///   knows the version of HTTP, and is as long as a connection may be idle.
/// - Heads that are not whole yet are counted.
/// - Whoever does not read what is written for it is given up.
/// - Closing lingers. Where a body was refused without being read, closing at once would reset the connection, and the reset
///   can overtake the answer. So the sending side is closed first, and what still comes in is discarded for a moment.
pub(super) struct Socket<S> {
    stream: S,
    client: Arc<Client>,
    head: Head,
    opening: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    writing: Option<Pin<Box<Sleep>>>,
    lingering: Option<Pin<Box<Sleep>>>,
    thrown_away: usize,
}

/// What a connection may take.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Until the first request has begun.
    pub(super) head_timeout: Duration,
    /// Until the other side has read something of what is written.
    pub(super) write_timeout: Duration,
    /// Where the bytes of heads are counted that are not whole yet.
    pub(super) heads: MemoryBudget,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Wraps the new connection of `client`.
    pub(super) fn new(stream: S, client: Arc<Client>, limits: &Limits) -> Self {
        Self {
            stream,
            client,
            head: Head::new(&limits.heads, head::FREE),
            opening: Some(Box::pin(tokio::time::sleep(limits.head_timeout))),
            write_timeout: limits.write_timeout,
            writing: None,
            lingering: None,
            thrown_away: 0,
        }
    }

    /// Returns what came of writing, or that it has waited too long for the reader.
    fn written<T>(&mut self, cx: &mut Context<'_>, polled: Poll<Result<T>>) -> Poll<Result<T>> {
        if polled.is_ready() {
            self.writing = None;
            return polled;
        }
        let timeout = self.write_timeout;
        let writing = self.writing.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        match writing.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the other side does not read"))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Reads and discards until the other side closes, the time is over or it was too much.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let lingering = self.lingering.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if lingering.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut scratch = [0; 4096];
        while self.thrown_away < LINGER_LEN {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => self.thrown_away += buffer.filled().len(),
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut (&mut this.stream).take(AT_A_TIME)).poll_read(cx, buffer);
        if this.client.is_answering() {
            this.head.clear();
        } else {
            this.head.grow(buffer.filled().len() - before)?;
        }
        if this.opening.is_some() && this.client.has_begun() {
            this.opening = None;
        }
        if let Some(opening) = &mut this.opening
            && opening.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        this.head.clear();
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let this = self.get_mut();
        this.head.clear();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.written(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_flush(cx);
        this.written(cx, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            let polled = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.written(cx, polled))?;
        }
        this.poll_linger(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests;
