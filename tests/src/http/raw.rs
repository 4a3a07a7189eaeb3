//! Requests that no client library sends: written by hand to the bare connection.

use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The time limit for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request whose body is sent in two parts, with a pause of any length between them.
pub struct HalfSent {
    stream: TcpStream,
    rest: Vec<u8>,
}

/// Posts an endless chunked body until an answer arrives. Returns its status.
///
/// # Errors
/// If there is no answer before 64 MiB are sent.
pub async fn endless(address: &str, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<u16> {
    const CHUNK: usize = 4_096;
    const CHUNKS: usize = (64 << 20) / CHUNK;
    let (mut read, mut write) = TcpStream::connect(address).await?.into_split();
    write.write_all(head(address, path, headers, "transfer-encoding: chunked").as_bytes()).await?;
    let sending = tokio::spawn(async move {
        let chunk = [format!("{CHUNK:x}\r\n").as_bytes(), &[0xff; CHUNK], b"\r\n"].concat();
        for _ in 0..CHUNKS {
            write.write_all(&chunk).await?;
        }
        anyhow::Ok(())
    });
    let answer = status(&mut read).await;
    anyhow::ensure!(!matches!((&answer, sending.is_finished()), (Err(_), true)), "all of it was read");
    sending.abort();
    answer
}

impl HalfSent {
    /// Sends the head and the first half of `body`, after the server has announced that it reads the body (RFC 9110,
    /// section 10.1.1). The request is in flight from then on.
    ///
    /// # Errors
    /// If the server does not announce that.
    pub async fn start(address: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let length = format!("content-length: {}\r\nexpect: 100-continue", body.len());
        stream.write_all(head(address, path, headers, &length).as_bytes()).await?;
        let said = status(&mut stream).await?;
        anyhow::ensure!(said == 100, "status {said} instead of 100");
        let (first, rest) = body.split_at(body.len() / 2);
        stream.write_all(first).await?;
        Ok(Self { stream, rest: rest.to_vec() })
    }

    /// Sends the rest. Returns the status of the answer.
    ///
    /// # Errors
    /// If the connection breaks first.
    pub async fn finish(mut self) -> anyhow::Result<u16> {
        self.stream.write_all(&self.rest).await?;
        status(&mut self.stream).await
    }
}

/// Sends `request` unchanged on a new connection, and `rest` after an answer with status 100. Returns the statuses of
/// the answers.
///
/// # Errors
/// If there is no answer.
pub async fn by_hand(address: &str, request: &[u8], rest: &[u8]) -> anyhow::Result<Vec<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut statuses = vec![status(&mut stream).await?];
    if statuses == [100] {
        stream.write_all(rest).await?;
        statuses.push(status(&mut stream).await?);
    }
    Ok(statuses)
}

/// Sends `request` unchanged on a new connection, then closes the sending side. Returns all that the server sends until
/// it closes the connection too.
///
/// # Errors
/// If the server does not close it within 30 s.
pub async fn half_closed(address: &str, request: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    stream.shutdown().await?;
    said(stream).await
}

/// Sends `request` unchanged on a new connection. Returns all that the server sends until it closes the connection.
///
/// # Errors
/// If the server does not close it within 30 s.
pub async fn until_closed(address: &str, request: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    said(stream).await
}

async fn said(mut stream: TcpStream) -> anyhow::Result<String> {
    let mut said = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut said)).await.context("the connection is open after 30 s")??;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn head(address: &str, path: &str, headers: &[(&str, &str)], length: &str) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}{length}\r\n\r\n")
}

/// Reads one head, and returns its status.
async fn status(stream: &mut (impl AsyncReadExt + Unpin)) -> anyhow::Result<u16> {
    let mut head = Vec::new();
    let reading = async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        anyhow::Ok(())
    };
    timeout(TIMEOUT, reading).await.context("no answer within 30 s")??;
    let text = String::from_utf8_lossy(&head);
    let status = text.split(' ').nth(1).with_context(|| format!("not HTTP: {text}"))?;
    Ok(status.parse()?)
}
