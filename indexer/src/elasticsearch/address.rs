//! Parses the addresses of `elasticsearch.url`. Pure, except for reading the proxy variables of the environment.

use std::net::IpAddr;

use elasticsearch::http::Url;
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use service::secret::Secret;

use crate::elasticsearch::SettingsError;

/// The user and password of an address.
pub(super) type User = (String, Secret);

/// Returns the addresses in `text`, separated by commas. Removes the user and password that one of them may contain.
pub(super) fn parse(text: &str) -> Result<(Vec<Url>, Option<User>), SettingsError> {
    let mut urls = Vec::new();
    let mut user = None;
    let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    for (index, text) in texts.enumerate() {
        // The text may contain a password, so the error does not repeat it.
        let wrong = |reason: String| SettingsError::Url { number: index + 1, reason };
        let mut url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("it has to begin with http:// or https:// and a host".to_owned()));
        }
        if let Some(found) = take_user(&mut url) {
            user.get_or_insert(found);
        }
        urls.push(url);
    }
    if urls.is_empty() {
        return Err(SettingsError::Url { number: 1, reason: "there is no address".to_owned() });
    }
    Ok((urls, user))
}

fn take_user(url: &mut Url) -> Option<User> {
    let name = decoded(url.username());
    let password = Secret::new(decoded(url.password().unwrap_or_default()));
    if name.is_empty() {
        return None;
    }
    // Both calls fail only for addresses without a host.
    let taken = url.set_username("").and_then(|()| url.set_password(None));
    taken.ok().map(|()| (name, password))
}

/// Returns `text` with its `%xx` decoded, as RFC 3986 defines for user and password.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Returns the address of a proxy, which may lack `http://`.
pub(super) fn proxy(text: &str) -> Option<Url> {
    let text = text.trim();
    Url::parse(text).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("http://{text}")).ok())
}

/// Returns the address of the proxy that the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` set
/// for `url`, without its user. The HTTP client reads them in the same way.
pub(super) fn proxy_of_environment(url: &Url) -> Option<Url> {
    let target = url.as_str().parse().ok()?;
    Url::parse(&Matcher::from_env().intercept(&target)?.uri().to_string()).ok()
}

/// Returns whether the node is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
