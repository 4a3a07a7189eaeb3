//! A curl command that posts an event to a source. The caller sets `URL` (scheme, host and port), `EVENT` (the file
//! with the event), and by authentication `TOKEN`, `CREDENTIALS` (`user:password`), `SECRET`, or `CERTIFICATE` and
//! `KEY` (files).

use crate::config::{Auth, HmacAlgorithm, HmacEncoding, SignedPart, Source};

/// Returns the lines of the command.
pub(super) fn example(source: &Source) -> String {
    let (before, options) = authentication(source);
    let mut lines = before;
    let mut call =
        vec!["curl --fail-with-body --header 'Content-Type: application/avro' --data-binary \"@$EVENT\"".to_owned()];
    call.extend(options);
    call.push(format!("\"$URL{}\"", source.path));
    lines.push(call.join(" \\\n  "));
    lines.join("\n")
}

/// Returns the lines before the curl command, and its options for the authentication.
fn authentication(source: &Source) -> (Vec<String>, Vec<String>) {
    match &source.auth {
        Auth::None => (Vec::new(), Vec::new()),
        Auth::Bearer { .. } => (Vec::new(), vec![header("Authorization", "Bearer $TOKEN")]),
        Auth::Basic { .. } => (Vec::new(), vec!["--user \"$CREDENTIALS\"".to_owned()]),
        Auth::Mtls { .. } => (Vec::new(), vec!["--cert \"$CERTIFICATE\" --key \"$KEY\"".to_owned()]),
        Auth::StandardWebhooks { .. } => standard_webhooks(),
        Auth::Hmac { .. } => hmac(source),
    }
}

fn header(name: &str, value: &str) -> String {
    format!("--header \"{name}: {value}\"")
}

fn standard_webhooks() -> (Vec<String>, Vec<String>) {
    let before = [
        "ID=msg_$(openssl rand -hex 12) TIME=$(date +%s)",
        "KEY=$(printf %s \"${SECRET#*whsec_}\" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')",
        "SIGNATURE=$({ printf '%s.%s.' \"$ID\" \"$TIME\"; cat \"$EVENT\"; } |\n  \
         openssl dgst -sha256 -mac HMAC -macopt \"hexkey:$KEY\" -binary | openssl base64 -A)",
    ];
    let options = vec![
        header("webhook-id", "$ID"),
        header("webhook-timestamp", "$TIME"),
        header("webhook-signature", "v1,$SIGNATURE"),
    ];
    (before.map(str::to_owned).to_vec(), options)
}

fn hmac(source: &Source) -> (Vec<String>, Vec<String>) {
    let Auth::Hmac { header: name, algorithm, encoding, prefix, timestamp_header, timestamp_prefix, .. } = &source.auth
    else {
        return (Vec::new(), Vec::new());
    };
    let algorithm = match algorithm {
        HmacAlgorithm::Sha256 => "sha256",
        HmacAlgorithm::Sha512 => "sha512",
    };
    let encode = match encoding {
        HmacEncoding::Hex => "od -An -v -tx1 | tr -d ' \\n'",
        HmacEncoding::Base64 => "openssl base64 -A",
    };
    let has_time = source.auth.has_timestamp();
    let mut lines: Vec<String> = has_time.then(|| "TIME=$(date +%s)".to_owned()).into_iter().collect();
    let message: Vec<String> =
        source.auth.signed_parts().unwrap_or_default().iter().map(|part| printed(part, source)).collect();
    lines.push(format!(
        "SIGNATURE=$({{ {}; }} |\n  openssl dgst -{algorithm} -hmac \"$SECRET\" -binary | {encode})",
        message.join("; ")
    ));
    let mut options: Vec<String> = timestamp_header.iter().map(|name| header(name, "$TIME")).collect();
    let time = timestamp_prefix.as_ref().map(|prefix| format!("{}$TIME,", escaped(prefix))).unwrap_or_default();
    options.push(header(name, &format!("{time}{}$SIGNATURE", escaped(prefix))));
    (lines, options)
}

/// Returns a command that prints one part of the signed text.
fn printed(part: &SignedPart, source: &Source) -> String {
    let text = match part {
        SignedPart::Body => return "cat \"$EVENT\"".to_owned(),
        SignedPart::Text(text) => escaped(text),
        SignedPart::Timestamp => "$TIME".to_owned(),
        SignedPart::Method => "POST".to_owned(),
        SignedPart::Path => escaped(&source.path),
        SignedPart::Header(name) if name == "content-type" => "application/avro".to_owned(),
        SignedPart::Header(_) => String::new(),
    };
    format!("printf %s \"{text}\"")
}

/// Escapes `text` for the shell's double quotes.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| matches!(c, '"' | '\\' | '$' | '`').then_some('\\').into_iter().chain([c])).collect()
}
