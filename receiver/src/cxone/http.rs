//! Sends requests to CXone: with a time-out, a size limit for answers, no redirects, and retries where they may help.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Proxy, Response, StatusCode};
use service::backoff::Backoff;
use service::causes::with_causes;
use service::{http, tls};

use super::CxoneError;

/// The most attempts of a request.
const ATTEMPTS: u32 = 4;
/// The waits between attempts. There are too few attempts to reach the longest wait.
const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(250), max: Duration::from_secs(2) };
/// The longest wait after a 429. If CXone asks for more, the request fails.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);

/// An HTTP client. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
}

/// An answer with its whole body.
#[derive(Debug)]
pub(super) struct CxoneAnswer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

/// What to do about an answer.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Take,
    Wait(Duration),
    GiveUp(CxoneError),
}

impl Http {
    /// Creates a client with `timeout` for each request, through `proxy` if there is one.
    ///
    /// # Errors
    /// When the client cannot be created.
    pub(super) fn new(timeout: Duration, proxy: Option<&str>) -> Result<Self, CxoneError> {
        tls::install_provider();
        // A redirect could send the secret or the token elsewhere.
        let mut builder = Client::builder().timeout(timeout).redirect(Policy::none());
        if let Some(proxy) = proxy {
            let proxy = Proxy::all(proxy);
            let wrong = |_| CxoneError::Config("cxone.proxy: it is not the address of a proxy".to_owned());
            builder = builder.proxy(proxy.map_err(wrong)?);
        }
        let client =
            builder.build().map_err(|error| CxoneError::Config(format!("cannot create an HTTP client: {error}")))?;
        Ok(Self { client })
    }

    /// Sends the request, and repeats it a few times on a 429, a 5xx or a failure. Returns any other answer.
    ///
    /// # Errors
    /// When there is no answer, or its body is larger than `max` bytes.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: String,
        max: usize,
    ) -> Result<CxoneAnswer, CxoneError> {
        let mut attempt = 1;
        loop {
            let request = self.client.request(method.clone(), url).headers(headers.clone()).body(body.clone());
            let wait = match request.send().await {
                Ok(mut response) => match next(&response, url, attempt) {
                    Next::Take => match http::body(&mut response, max).await {
                        Ok(Some(body)) => return Ok(CxoneAnswer { status: response.status(), body: plain(body) }),
                        Ok(None) => {
                            let reason = format!("more than {max} bytes");
                            return Err(CxoneError::Garbage { url: url.to_owned(), reason });
                        }
                        Err(error) if attempt == ATTEMPTS => return Err(unreachable(url, error)),
                        Err(_) => backoff(attempt),
                    },
                    Next::Wait(wait) => wait,
                    Next::GiveUp(error) => return Err(error),
                },
                Err(error) if attempt == ATTEMPTS => return Err(unreachable(url, error)),
                Err(_) => backoff(attempt),
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }
}

/// Returns `body` without the byte order mark that some servers write before JSON; a reader may ignore it (RFC 8259,
/// section 8.1).
fn plain(body: Vec<u8>) -> Vec<u8> {
    match body.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => body,
    }
}

fn next(response: &Response, url: &str, attempt: u32) -> Next {
    let status = response.status();
    let busy = status == StatusCode::TOO_MANY_REQUESTS;
    if !busy && !status.is_server_error() {
        return Next::Take;
    }
    let asked = busy.then(|| retry_after(response.headers())).flatten();
    if let Some(asked) = asked.filter(|asked| attempt == ATTEMPTS || *asked > MAX_RETRY_AFTER) {
        return Next::GiveUp(CxoneError::Busy { url: url.to_owned(), seconds: asked.as_secs() });
    }
    if attempt == ATTEMPTS {
        return Next::GiveUp(CxoneError::Status { url: url.to_owned(), status: status.as_u16() });
    }
    Next::Wait(asked.unwrap_or_else(|| backoff(attempt)))
}

/// Returns `Retry-After` in seconds (RFC 9110, section 10.2.3). Ignores its other form, a date, because it would need
/// two clocks that agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Returns the wait after attempt `attempt`.
fn backoff(attempt: u32) -> Duration {
    BACKOFF.wait(attempt, &mut rand::rng())
}

fn unreachable(url: &str, error: reqwest::Error) -> CxoneError {
    let reason = if error.is_timeout() {
        "no answer within cxone.timeout".to_owned()
    } else {
        with_causes(&error.without_url())
    };
    CxoneError::Unreachable { url: url.to_owned(), reason }
}

#[cfg(test)]
mod tests;
