//! A TCP connection that neither waits for ever at its beginning nor cuts off an answer at its end.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How long a connection may take to send its first bytes.
const OPENING: Duration = Duration::from_secs(10);
/// By how many bytes it is clear whether it is HTTP/1 or HTTP/2 (RFC 9113, section 3.4); from then on hyper has time-outs.
const OPENING_LEN: usize = 24;
/// How long is read, and thrown away, after the last answer.
const LINGER: Duration = Duration::from_secs(2);
/// How much is thrown away at most.
const LINGER_LEN: usize = 4 * 1024 * 1024;

/// A `TcpStream` with two additions:
///
/// - The first bytes must come within [`OPENING`]: hyper's time-out for the head starts only once it knows the version.
/// - Closing lingers. Where a body was refused without being read, closing at once would reset the connection, and the reset
///   can overtake the answer. So the sending side is closed first, and what still comes in is thrown away for a moment.
pub(crate) struct Socket {
    stream: TcpStream,
    opening: Option<Pin<Box<Sleep>>>,
    read: usize,
    lingering: Option<Pin<Box<Sleep>>>,
    thrown_away: usize,
}

impl Socket {
    /// Wraps a new connection.
    pub(crate) fn new(stream: TcpStream) -> Self {
        let opening = Some(Box::pin(tokio::time::sleep(OPENING)));
        Self { stream, opening, read: 0, lingering: None, thrown_away: 0 }
    }

    /// Reads and throws away until the other side closes, the time is over or it was too much.
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

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let Some(opening) = &mut this.opening else {
            return polled;
        };
        if polled.is_pending() {
            ready!(opening.as_mut().poll(cx));
            return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
        }
        this.read += buffer.filled().len() - before;
        if this.read >= OPENING_LEN {
            this.opening = None;
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        this.poll_linger(cx).map(Ok)
    }
}
