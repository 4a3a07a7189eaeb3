//! Bounds the HTTP/2 answers that unauthenticated senders do not read.
//!
//! A client announces how much of an answer it accepts at a time, which may be nothing. Each stream that waits for it
//! costs a few kilobytes. Authenticated senders have permits. For all others, this module bounds the time and the
//! number: if there are too many streams, the connection with the most of them is closed.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The streams of all connections.
#[derive(Debug)]
pub(super) struct Unread {
    most: usize,
    state: Mutex<UnreadState>,
}

#[derive(Debug, Default)]
struct UnreadState {
    connections: HashMap<u64, OfConnection>,
    streams: usize,
    next: u64,
}

#[derive(Debug)]
struct OfConnection {
    streams: usize,
    give_way: CancellationToken,
}

/// The streams of one connection.
#[derive(Debug)]
pub(super) struct Streams {
    all: Arc<Unread>,
    number: u64,
    give_way: CancellationToken,
    /// When the answers that have not been read yet were given.
    answered: Mutex<BTreeMap<u64, Instant>>,
    more: Notify,
}

/// A stream from its head until its answer is read, or it is reset.
#[derive(Debug)]
pub(super) struct Stream {
    of: Arc<Streams>,
    number: u64,
}

impl Unread {
    /// Creates the limit: about `most` streams at a time.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    /// Returns the streams of a new connection.
    pub(super) fn connection(self: &Arc<Self>) -> Arc<Streams> {
        Arc::new(Streams {
            all: Arc::clone(self),
            number: self.lock().number(),
            give_way: CancellationToken::new(),
            answered: Mutex::default(),
            more: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, UnreadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnreadState {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Asks the connection with the most streams to close.
    fn make_room(&mut self) {
        let most = self.connections.iter().max_by_key(|(_, connection)| connection.streams);
        let number = most.map(|(number, _)| *number);
        if let Some(connection) = number.and_then(|number| self.connections.remove(&number)) {
            self.streams -= connection.streams;
            connection.give_way.cancel();
        }
    }
}

impl Streams {
    /// Counts a new stream.
    pub(super) fn begin(self: &Arc<Self>) -> Stream {
        let mut state = self.all.lock();
        if state.streams >= self.all.most {
            state.make_room();
        }
        // A connection that was asked to close no longer counts.
        if !self.give_way.is_cancelled() {
            let new = || OfConnection { streams: 0, give_way: self.give_way.clone() };
            state.connections.entry(self.number).or_insert_with(new).streams += 1;
            state.streams += 1;
        }
        Stream { of: Arc::clone(self), number: state.number() }
    }

    /// Waits until the connection must close, because it has the most streams or an answer was not read for `timeout`.
    pub(super) async fn stall(&self, timeout: Duration) {
        let late = async {
            loop {
                let oldest = self.answered().first_key_value().map(|(_, at)| *at + timeout);
                match oldest {
                    None => self.more.notified().await,
                    Some(late) if late <= Instant::now() => return,
                    Some(late) => tokio::time::sleep_until(late).await,
                }
            }
        };
        tokio::select! {
            () = self.give_way.cancelled() => {}
            () = late => {}
        }
    }

    fn answered(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// Wraps `body`, the answer, and counts the stream until it is read.
    pub(super) fn answer(self, body: Body) -> Body {
        self.of.answered().insert(self.number, Instant::now());
        self.of.more.notify_one();
        Body::new(Answer { body, last: None, _stream: self })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.of.answered().remove(&self.number);
        let mut state = self.of.all.lock();
        let Some(connection) = state.connections.get_mut(&self.of.number) else { return };
        connection.streams -= 1;
        if connection.streams == 0 {
            state.connections.remove(&self.of.number);
        }
        state.streams -= 1;
    }
}

/// The body of an answer. Its last byte is a separate frame: hyper takes a frame as soon as the client has room for its
/// first byte, so the body ends only once the client has room for all of it.
struct Answer {
    body: Body,
    last: Option<Bytes>,
    _stream: Stream,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Some(last) = this.last.take() {
            return Poll::Ready(Some(Ok(Frame::data(last))));
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        let split = |mut data: Bytes| {
            if data.len() > 1 {
                this.last = Some(data.split_off(data.len() - 1));
            }
            data
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(split))))
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.last.is_none() { self.body.size_hint() } else { SizeHint::default() }
    }
}

#[cfg(test)]
mod tests;
