//! Reads the lists of all topics of one process. Requests that several caches make at the same time become one
//! request to Elasticsearch.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;

use super::barrier::Barrier;
use super::list::{self, ReadError, Unreadable};
use crate::backing::now_millis;
use crate::config::Strategy;
use crate::elasticsearch::Client;
use crate::placement::table::FoundIndex;

/// The longest path of one request, in bytes. Elasticsearch accepts 4,096 (`http.max_initial_line_length`), including
/// the query.
const MAX_PATH: usize = 3_000;

/// Reads lists, for the whole process.
#[derive(Debug)]
pub struct Lists {
    client: Arc<Client>,
    barrier: Barrier,
    /// Waiting requests, at most one per cache.
    waiting: StdMutex<Vec<Ask>>,
    /// Allows one request at a time. Those that arrive meanwhile are combined into the next one.
    turn: Mutex<()>,
    phase: i64,
    unreadable: Unreadable,
}

/// The indices behind an alias or of a data stream, as listed.
#[derive(Debug)]
pub(super) struct Listed {
    /// The indices; those of a data stream in the stream's own order.
    pub(super) found: Vec<FoundIndex>,
    /// When the list was requested.
    pub(super) asked: Instant,
    /// When the list was requested, in milliseconds since the Unix epoch.
    pub(super) read_at: i64,
}

#[derive(Debug)]
struct Ask {
    name: String,
    strategy: Strategy,
    is_opensearch: bool,
    answer: oneshot::Sender<Result<Listed, ReadError>>,
}

impl Listed {
    /// Creates an empty list as of now.
    pub(super) fn none() -> Self {
        Self { found: Vec::new(), asked: Instant::now(), read_at: now_millis() }
    }
}

impl Lists {
    /// Creates a reader that uses `client`.
    pub fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            barrier: Barrier::default(),
            waiting: StdMutex::default(),
            turn: Mutex::new(()),
            phase: rand::random_range(0..60_000),
            unreadable: Unreadable::default(),
        }
    }

    /// Returns the offset in milliseconds at which this process reads, so that processes do not read at the same
    /// time.
    pub(super) fn phase(&self) -> i64 {
        self.phase
    }

    /// Returns the indices behind `name`, requested after this call and behind the barrier.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(super) async fn read(&self, name: &str, strategy: Strategy, is_opensearch: bool) -> Result<Listed, ReadError> {
        loop {
            let (sender, mut receiver) = oneshot::channel();
            self.waiting().push(Ask { name: name.to_owned(), strategy, is_opensearch, answer: sender });
            let turn = self.turn.lock().await;
            // The task that had the turn before has requested this list too, or was stopped.
            if let Ok(answer) = receiver.try_recv() {
                return answer;
            }
            let asks = std::mem::take(&mut *self.waiting());
            self.ask(asks).await;
            drop(turn);
            if let Ok(answer) = receiver.await {
                return answer;
            }
        }
    }

    async fn ask(&self, asks: Vec<Ask>) {
        // Both clocks are read before the request: what happens after it must not count as known.
        let (asked, read_at) = (Instant::now(), now_millis());
        let passed = self.barrier.pass(&self.client).await;
        if let Err(error) = passed {
            let (status, body) = (0, error.to_string());
            for ask in asks {
                answer(ask, Err(ReadError::Refused { status, body: body.clone() }));
            }
            return;
        }
        let listed = |found| Listed { found, asked, read_at };
        let (aliases, streams): (Vec<Ask>, Vec<Ask>) =
            asks.into_iter().partition(|ask| ask.strategy != Strategy::DataStream);
        for some in chunks(aliases) {
            let is_opensearch = some.iter().any(|ask| ask.is_opensearch);
            let names: Vec<&str> = some.iter().map(|ask| ask.name.as_str()).collect();
            let mut found = match names.as_slice() {
                [] | [_] => Vec::new(),
                names => list::read_several(&self.client, names, is_opensearch).await.unwrap_or_default(),
            };
            found.reverse();
            for ask in some {
                let one = match found.pop() {
                    Some(found) => Ok(found),
                    // Only one name is left, or the combined request failed; then each name is read on its own.
                    None => self.read_one(&ask).await,
                };
                answer(ask, one.map(listed));
            }
        }
        for ask in streams {
            let found = self.read_one(&ask).await;
            answer(ask, found.map(listed));
        }
    }

    async fn read_one(&self, ask: &Ask) -> Result<Vec<FoundIndex>, ReadError> {
        list::read(&self.client, &ask.name, ask.strategy, ask.is_opensearch, &self.unreadable).await
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Ask>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends the answer, unless the task that asked has ended.
fn answer(ask: Ask, answer: Result<Listed, ReadError>) {
    if ask.answer.send(answer).is_err() {
        tracing::debug!(index = ask.name, "A list arrived after its caller had stopped waiting.");
    }
}

/// Divides `asks` into parts whose names fit into one path.
fn chunks(asks: Vec<Ask>) -> Vec<Vec<Ask>> {
    let mut chunks: Vec<Vec<Ask>> = Vec::new();
    let mut bytes = MAX_PATH;
    for ask in asks {
        let more = ask.name.len() + 1;
        match chunks.last_mut() {
            Some(chunk) if bytes + more <= MAX_PATH => {
                bytes += more;
                chunk.push(ask);
            }
            Some(_) | None => {
                bytes = more;
                chunks.push(vec![ask]);
            }
        }
    }
    chunks
}

#[cfg(test)]
mod tests;
