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
