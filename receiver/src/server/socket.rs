//! A connection with time-outs for its first head and for readers that stop reading. It closes without cutting off an
//! answer.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::head::{self, Head};
use super::held::Held;
use crate::body_budget::MemoryBudget;
use crate::client::Client;

/// The most bytes of one read. A read that fills hyper's buffer, 8 KiB at first, lets it grow to
/// [`MAX_HEAD`](super::MAX_HEAD), and it stays that large as long as the connection lives.
const AT_A_TIME: u64 = 8 * 1024 - 1;
/// How long to read and discard after the last answer.
const LINGER: Duration = Duration::from_secs(2);
/// The most bytes to discard.
const LINGER_LEN: usize = 4 * 1024 * 1024;

/// A stream with these additions:
///
/// - The head of the first request must arrive in time, however slowly it drips. hyper's time-out for a head starts
///   only once hyper knows the version of HTTP, and it is as long as the idle time-out.
/// - Incomplete heads are counted.
/// - A connection ends if the other side does not read what is written.
/// - Closing lingers. If a body was refused unread, closing immediately would reset the connection, and the reset can
///   overtake the answer. So the socket closes its sending side first, and discards for a moment what still arrives.
pub(super) struct Socket<S> {
    stream: S,
    client: Arc<Client>,
    head: Head,
    held: Held,
    opening: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    writing: Option<Pin<Box<Sleep>>>,
    lingering: Option<Pin<Box<Sleep>>>,
    thrown_away: usize,
}

/// The limits of a connection.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// The time until the first request must have begun.
    pub(super) head_timeout: Duration,
    /// The time in which the other side must read some of what is written.
    pub(super) write_timeout: Duration,
    /// The budget for incomplete heads.
    pub(super) heads: MemoryBudget,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Wraps the new connection of `client`.
    pub(super) fn new(stream: S, client: Arc<Client>, limits: &Limits) -> Self {
        Self {
            stream,
            client,
            head: Head::new(&limits.heads, head::FREE),
            held: Held::new(),
            opening: Some(Box::pin(tokio::time::sleep(limits.head_timeout))),
            write_timeout: limits.write_timeout,
            writing: None,
            lingering: None,
            thrown_away: 0,
        }
    }

    /// Notes that something is written.
    fn note_written(&mut self) -> Result<()> {
        if self.held.written() { self.head.hold(0) } else { Ok(()) }
    }

    /// Returns the result of a write, or an error if the other side has not read for too long.
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

    /// Reads and discards until the other side closes, the time is up or the limit is reached.
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
        let arrived = buffer.filled().get(before..).unwrap_or_default();
        this.head.hold(this.held.arrived(arrived, this.client.is_answering()))?;
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
        this.note_written()?;
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let this = self.get_mut();
        this.note_written()?;
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
