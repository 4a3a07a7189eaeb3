use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;

use super::*;

#[test]
fn an_endless_token_lifetime_does_not_overflow() {
    for expires_in in [1 << 63, u64::MAX] {
        let life = lifetime(Some(expires_in));
        assert!(SystemTime::now().checked_add(life).is_some_and(|end| end > SystemTime::now()));
    }
    assert_eq!(lifetime(Some(60)).as_secs(), 60);
    for none in [None, Some(0)] {
        assert_eq!(lifetime(none).as_secs(), DEFAULT_LIFETIME);
    }
}

fn oauth(token_url: String, ca_file: Option<PathBuf>) -> OAuth {
    OAuth {
        token_url,
        client_id: "me".to_owned(),
        client_secret: Some(service::secret::Secret::new("hush")),
        client_secret_file: None,
        scope: None,
        ca_file,
    }
}

#[test]
fn a_file_of_authorities_that_holds_none_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for content in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        std::fs::write(file.path(), content).unwrap();
        let oauth = oauth("https://localhost/token".to_owned(), Some(file.path().to_owned()));
        let error = http(&oauth, Duration::from_secs(60)).unwrap_err().to_string();
        let names_both = error.contains("kafka.security.oauth.ca_file") && error.contains("holds no certificate");
        assert!(names_both, "{content}: {error}");
    }
}

/// Returns the token fetched from an endpoint that answers with `body`.
async fn fetched(body: &'static str) -> Result<OAuthToken, TokenError> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let token_url = format!("http://{}/token", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        let mut piece = [0; 1024];
        while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
            let count = stream.read(&mut piece).unwrap();
            seen.extend_from_slice(&piece[..count]);
        }
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    });
    let oauth = oauth(token_url, None);
    let http = http(&oauth, Duration::from_secs(60)).unwrap();
    Tokens { runtime: Handle::current(), http, oauth }.fetch().await
}

/// Some endpoints write the seconds as text.
#[tokio::test]
async fn a_lifetime_may_be_text_and_an_answer_without_token_is_an_error() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let token = fetched(r#"{"access_token":"t","token_type":"Bearer","expires_in":"3599"}"#).await.unwrap();
    let life = u128::try_from(token.lifetime_ms).unwrap() - before;
    assert!((3_598_000..3_700_000).contains(&life), "{life}");
    let error = fetched("<html>Sign in</html>").await.err().unwrap();
    assert!(matches!(error, TokenError::NoToken { .. }), "{error}");
}
