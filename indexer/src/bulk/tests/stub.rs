//! A bulk endpoint with scripted answers.
//!
//! A real Elasticsearch cannot be made to give an exact mix of answers, an answer that is too short, or none at all.
//! The integration tests cover what a real one can do.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A request as the stub received it.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Method, path and query.
    pub(crate) line: String,
    /// The header lines.
    pub(crate) head: String,
    /// The body, decompressed.
    pub(crate) body: String,
}

/// What the stub does with a request.
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Answer(u16, String),
    /// Sends nothing, but keeps the connection open.
    Silence,
    /// Closes the connection in the middle of its answer.
    Break,
}

/// A stub that ends when it is dropped.
pub(crate) struct Stub {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    server: AbortHandle,
}

type Script = Arc<Mutex<dyn FnMut(&Received) -> Reply + Send>>;

impl Received {
    /// Returns the document lines of a bulk request.
    pub(crate) fn documents(&self) -> Vec<&str> {
        self.body.lines().skip(1).step_by(2).collect()
    }

    pub(crate) fn is_bulk(&self) -> bool {
        self.line.starts_with("POST ") && self.line.contains("/_bulk?")
    }
}

impl Stub {
    /// Starts a stub on a free port.
    pub(crate) async fn start(script: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), script).await
    }

    pub(crate) async fn start_at(address: SocketAddr, script: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        let script: Script = Arc::new(Mutex::new(script));
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(stream, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { address, received, server: server.abort_handle() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the bulk requests so far.
    pub(crate) fn bulk_requests(&self) -> Vec<Received> {
        self.requests().into_iter().filter(Received::is_bulk).collect()
    }

    /// Returns all requests so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(mut stream: TcpStream, script: Script, log: Arc<Mutex<Vec<Received>>>) {
    let mut buffer = Vec::new();
    while let Some(received) = read_request(&mut stream, &mut buffer).await {
        log.lock().unwrap().push(received.clone());
        let reply = script.lock().unwrap()(&received);
        match reply {
            Reply::Answer(status, body) => {
                let length = body.len();
                let body = if received.line.starts_with("HEAD ") { String::new() } else { body };
                let answer = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Reply::Silence => std::future::pending().await,
            Reply::Break => {
                stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 99\r\n\r\n{\"it").await.unwrap_or_default();
                return;
            }
        }
    }
}

/// Returns the next request of a connection; `None` at its end.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        read_more(stream, buffer).await?;
    };
    let head = String::from_utf8(buffer.drain(..head_end).collect()).unwrap().to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |text| text.parse().unwrap());
    while buffer.len() < length {
        read_more(stream, buffer).await?;
    }
    let mut body: Vec<u8> = buffer.drain(..length).collect();
    if head.contains("content-encoding: gzip") {
        let compressed = std::mem::take(&mut body);
        flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut body).unwrap();
    }
    let line = head.lines().next().unwrap();
    let (method, rest) = line.split_once(' ').unwrap();
    let line = format!("{} {rest}", method.to_ascii_uppercase());
    Some(Received { line, head, body: String::from_utf8(body).unwrap() })
}

async fn read_more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(buffer).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(()),
    }
}

/// Creates a bulk answer with one item for each of `statuses`.
pub(crate) fn items(statuses: impl IntoIterator<Item = u16>) -> Reply {
    let items: Vec<String> = statuses.into_iter().map(|status| format!(r#"{{"create":{}}}"#, item(status))).collect();
    Reply::Answer(200, format!(r#"{{"items":[{}]}}"#, items.join(",")))
}

fn item(status: u16) -> String {
    let error_type = match status {
        200 | 201 => return format!(r#"{{"status":{status}}}"#),
        400 => "document_parsing_exception",
        403 => "cluster_block_exception",
        404 => "index_not_found_exception",
        409 => "version_conflict_engine_exception",
        429 => "es_rejected_execution_exception",
        _ => "unavailable_shards_exception",
    };
    format!(r#"{{"status":{status},"error":{{"type":"{error_type}","reason":"why"}}}}"#)
}

/// Creates an answer that reports a failure of the whole request.
pub(crate) fn failure(status: u16, error_type: &str) -> Reply {
    Reply::Answer(status, format!(r#"{{"error":{{"type":"{error_type}","reason":"why"}},"status":{status}}}"#))
}

/// Returns a bulk answer that reports everything as written.
pub(crate) fn all_written(received: &Received) -> Reply {
    items(received.documents().iter().map(|_| 201))
}
