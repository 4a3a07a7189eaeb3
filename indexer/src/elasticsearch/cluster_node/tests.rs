use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::config;
use elasticsearch::http::Method;

fn node(url: &str) -> ClusterNode {
    ClusterNode::new(Url::parse(url).unwrap(), config::Compression::None, None, None).unwrap()
}

/// Starts a server that redirects everything to `/login`, where it answers with success.
async fn portal() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let read = stream.read(&mut request).await.unwrap();
            let answer: &[u8] = match request[..read].windows(6).any(|part| part == b"/login") {
                true => b"HTTP/1.1 200 x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
                false => {
                    b"HTTP/1.1 301 x\r\nlocation: /login?to=secret\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                }
            };
            stream.write_all(answer).await.unwrap();
        }
    });
    url
}

/// A client that follows a redirect uses another method and takes the answer as its own: a PUT becomes a successful
/// GET, and nothing is written.
#[tokio::test]
async fn a_redirect_is_an_error() {
    let url = portal().await;
    let request = Request {
        method: Method::Put,
        path: "/cxone-events/_mapping",
        query: &[],
        content_type: "application/json",
        body: Bytes::from_static(b"{}"),
    };
    let error = node(&url).send(&request, Duration::from_secs(9), usize::MAX).await.unwrap_err().to_string();
    let expected = format!("redirects /cxone-events/_mapping to {url}/login;");
    assert!(error.contains(&expected) && !error.contains("secret"), "{error}");
}

/// Returns whether `request` has arrived with its body.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|part| part == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    request.len() >= end + 4 + length.unwrap_or(0)
}

/// Starts a server that answers every request with 400. Sends how each was encoded to the returned channel.
async fn refusing() -> (String, tokio::sync::mpsc::Receiver<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, seen) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !is_whole(&request) {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the request breaks off");
            }
            let head = String::from_utf8_lossy(&request).to_lowercase();
            sender.send(head.contains("content-encoding: gzip")).await.unwrap();
            let answer = b"HTTP/1.1 400 x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            stream.write_all(answer).await.unwrap();
        }
    });
    (url, seen)
}

#[tokio::test]
async fn not_every_refused_request_is_sent_again_uncompressed() {
    let (url, mut seen) = refusing().await;
    let node = ClusterNode::new(Url::parse(&url).unwrap(), config::Compression::Gzip, None, None).unwrap();
    for _ in 0..3 {
        let request = Request {
            method: Method::Put,
            path: "/cxone-events/_mapping",
            query: &[],
            content_type: "application/json",
            body: Bytes::from(vec![b' '; 2 * WORTH_COMPRESSING]),
        };
        let answer = node.send(&request, Duration::from_secs(9), usize::MAX).await.unwrap().unwrap();
        assert_eq!(answer.status, 400);
    }
    let mut compressed = Vec::new();
    while let Ok(is_compressed) = seen.try_recv() {
        compressed.push(is_compressed);
    }
    assert_eq!(compressed, [true, false, true, true]);
}

#[test]
fn an_answer_from_the_requested_address_is_not_a_redirect() {
    for (base, path) in [
        ("http://es", "/a/_bulk"),
        ("http://es/b", "/a/_mget"),
        ("http://es:80/b/", "/ключ/_mget"),
        ("https://es", "/"),
    ] {
        let answered = Url::parse(&format!("{}{path}?filter_path=x", base.trim_end_matches('/'))).unwrap();
        assert_eq!(node(base).redirected(path, &answered), None, "{base} {path}");
    }
    let secure = Url::parse("https://es/a/_bulk").unwrap();
    assert!(
        node("http://es").redirected("/a/_bulk", &secure).is_some_and(|reason| reason.contains("https://es/a/_bulk"))
    );
}
