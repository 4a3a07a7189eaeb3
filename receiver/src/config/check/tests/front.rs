//! Authentication, TLS and the bounds of the listener.

use super::*;

/// Each line causes a problem that begins with the key below the source and contains the words.
#[test]
fn auth_that_would_admit_nobody_or_everybody_is_refused() {
    for (auth, key, words) in [
        ("{type: bearer}", "auth.tokens", "set tokens or tokens_file"),
        ("{type: bearer, tokens: ['']}", "auth.tokens", "blank"),
        ("{type: bearer, tokens: [short]}", "auth.tokens", "5 bytes"),
        ("{type: basic}", "auth.credentials", "set credentials or credentials_file"),
        ("{type: basic, credentials: [0123456789abcdef]}", "auth.credentials", "user:password"),
        ("{type: basic, credentials: ['user:short']}", "auth.credentials", "5 bytes"),
        ("{type: hmac, header: h}", "auth.secrets", "set secrets or secrets_file"),
        ("{type: hmac, header: 'a b', secrets: [0123456789abcdef]}", "auth.header", "HTTP header"),
        ("{type: hmac, header: h, signed: x, secrets: [0123456789abcdef]}", "auth.signed", "{body}"),
        ("{type: hmac, header: h, signed: '{timestamp}{body}', secrets: [0123456789abcdef]}", "auth.signed", "without"),
        (
            "{type: hmac, header: h, timestamp_header: t, signed: '{body}', secrets: [0123456789abcdef]}",
            "auth.signed",
            "{timestamp} once",
        ),
        ("{type: standard_webhooks, secrets: ['whsec_%']}", "auth.secrets", "base64"),
        ("{type: standard_webhooks, secrets: [whsec_AAAA]}", "auth.secrets", "3 bytes"),
        ("{type: standard_webhooks, tolerance: 0s, secrets: [MDEyMzQ1Njc4OWFiY2RlZg==]}", "auth.tolerance", "longer"),
        ("{type: mtls}", "auth.type", "receiver.tls.client_ca_file"),
    ] {
        let found = source_problem(&[&format!("auth: {auth}")]);
        let begins = found.starts_with(&format!("receiver.sources.cxone.{key}: "));
        assert!(begins && found.contains(words), "{auth}: {found}");
        assert!(!found.contains("0123456789"), "a secret is shown: {found}");
    }
}

#[test]
fn a_source_without_auth_is_refused_unless_its_type_is_none() {
    let without: String = GOOD.lines().filter(|line| !line.contains("auth")).map(|line| format!("{line}\n")).collect();
    let error = load_from::<Config>("p.yaml", &without, &[]).unwrap_err().to_string();
    assert!(error.contains("receiver.sources.cxone") && error.contains("auth"), "{error}");
    let open = GOOD.replace("{type: bearer, tokens: [0123456789abcdef]}", "{type: none}");
    assert!(problems(&open).is_empty());
}

#[test]
fn bounds_that_admit_nothing_are_refused() {
    for (line, key) in [
        ("max_in_flight_bytes: 1KiB", "sources.cxone.limits.max_body"),
        ("max_connections: 0", "max_connections"),
        ("worker_threads: 0", "worker_threads"),
        ("head_timeout: 0s", "head_timeout"),
        ("idle_timeout: 0s", "idle_timeout"),
        ("tls: {certificate_file: /nowhere/a, key_file: /dev/null}", "tls.certificate_file"),
    ] {
        let found = problem(&format!("  {line}\n"));
        assert!(found.starts_with(&format!("receiver.{key}: ")), "{line}: {found}");
    }
    for (limits, key) in [
        ("{max_requests_per_second: 0}", "max_requests_per_second"),
        ("{burst: 1}", "burst"),
        ("{max_requests_per_second: 1, burst: 0}", "burst"),
    ] {
        let found = source_problem(&[&format!("limits: {limits}")]);
        assert!(found.starts_with(&format!("receiver.sources.cxone.limits.{key}: ")), "{limits}: {found}");
    }
}

#[test]
fn a_challenge_without_what_it_needs_is_refused() {
    let hmac = "auth: {type: hmac, preset: x, secrets: [0123456789abcdef]}";
    for (lines, key, words) in [
        (["verification: {challenge: zoom}"].as_slice(), "challenge", "preset: zoom"),
        (&["verification: {challenge: x}"], "challenge", "preset: x"),
        (&["verification: {challenge: x}", &hmac.replace("preset: x", "preset: zoom")], "challenge", "the body and"),
        (
            &["verification: {challenge: zoom}", &hmac.replace("preset: x", "preset: x, algorithm: sha512")],
            "challenge",
            "sha256",
        ),
        (&["verification: {challenge: okta, challenge_parameter: a}"], "challenge_parameter", "does not go with"),
        (&["verification: {challenge: meta}"], "verify_token", "is missing"),
        (&["verification: {challenge: meta, verify_token: ' '}"], "verify_token", "blank"),
        (&["verification: {challenge: meta, verify_token_file: /nowhere/a}"], "verify_token_file", "/nowhere/a"),
        (&["verification: {verify_token: secret-of-meta}"], "verify_token", "without challenge: meta"),
    ] {
        let found = source_problem(lines);
        let begins = found.starts_with(&format!("receiver.sources.cxone.verification.{key}: "));
        assert!(begins && found.contains(words), "{lines:?}: {found}");
        assert!(!found.contains("secret-of-meta"), "a secret is shown: {found}");
    }
}
