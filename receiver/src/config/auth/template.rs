//! Parses the key `signed`: a template of the signed text, with placeholders.

/// The placeholders, for messages.
const PLACES: &str = "{body}, {timestamp}, {method}, {path}, {content_type}, {content_encoding} and {header:NAME}";

/// A part of the signed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedPart {
    /// This text.
    Text(String),
    /// The body as it was sent.
    Body,
    /// The timestamp as it was written.
    Timestamp,
    /// The method, which is always `POST`.
    Method,
    /// The path and the query as they were sent.
    Path,
    /// The value of this header, whose name is in lowercase; empty if it is absent.
    Header(String),
}

/// Parses the template `signed`.
///
/// # Errors
/// When a placeholder is unknown, the body does not occur exactly once, or the timestamp occurs more than once. In
/// words.
pub(super) fn signed_parts(signed: &str) -> Result<Vec<SignedPart>, String> {
    let mut parts = Vec::new();
    let mut rest = signed;
    while let Some((text, after)) = rest.split_once('{') {
        if !text.is_empty() {
            parts.push(SignedPart::Text(text.to_owned()));
        }
        let Some((name, after)) = after.split_once('}') else {
            return Err(format!("has a {{ without its }}; the placeholders are {PLACES}"));
        };
        parts.push(placeholder(name)?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(SignedPart::Text(rest.to_owned()));
    }
    let count = |wanted: &SignedPart| parts.iter().filter(|part| *part == wanted).count();
    match (count(&SignedPart::Body), count(&SignedPart::Timestamp)) {
        (1, 0 | 1) => Ok(parts),
        (1, _) => Err("must hold {timestamp} once".to_owned()),
        _ => Err("must hold {body} once".to_owned()),
    }
}

fn placeholder(name: &str) -> Result<SignedPart, String> {
    Ok(match name {
        "body" => SignedPart::Body,
        "timestamp" => SignedPart::Timestamp,
        "method" => SignedPart::Method,
        "path" => SignedPart::Path,
        "content_type" => SignedPart::Header("content-type".to_owned()),
        "content_encoding" => SignedPart::Header("content-encoding".to_owned()),
        _ => match name.strip_prefix("header:") {
            Some(header) if axum::http::HeaderName::from_bytes(header.as_bytes()).is_ok() => {
                SignedPart::Header(header.to_ascii_lowercase())
            }
            _ => return Err(format!("has {{{name}}}, which is not a placeholder; the placeholders are {PLACES}")),
        },
    })
}

#[cfg(test)]
mod tests;
