//! Tests of loading the sections.

use std::time::Duration;

use config::load_from;

use super::*;

mod id_scopes;

const SECRET: &str = "hunter2-correct-horse";

fn loaded(text: &str) -> Config {
    load_from("p.yaml", text, &[]).unwrap()
}

/// Returns the error message of loading `text`.
fn refused(text: &str) -> String {
    load_from::<Config>("p.yaml", text, &[]).unwrap_err().to_string()
}

/// Returns a config with one webhook that has this `auth`.
fn with_auth(auth: &str) -> String {
    format!("receiver:\n  sources:\n    cxone:\n      path: /w\n      subject: s\n      auth: {auth}\n")
}

fn assert_hidden(error: &str) {
    for word in SECRET.split('-') {
        assert!(!error.contains(word), "{error}");
    }
}

#[test]
fn each_type_of_auth_is_parsed() {
    let auth = |text| loaded(&with_auth(text)).receiver.sources["cxone"].auth.clone();
    assert!(matches!(auth("{type: none}"), Auth::None));
    assert!(matches!(auth("{type: bearer, tokens: [a, b]}"), Auth::Bearer { tokens, .. } if tokens.len() == 2));
    let Auth::Hmac { header, tolerance, timestamp_header, secrets, .. } =
        auth("{type: hmac, header: X-Signature, secrets: [12345678901234567890]}")
    else {
        panic!("not hmac");
    };
    assert_eq!((header.as_str(), tolerance, timestamp_header), ("X-Signature", Duration::from_secs(300), None));
    // This has more digits than any number type holds.
    assert_eq!(secrets[0].expose(), "12345678901234567890");
}

#[test]
fn auth_with_a_key_of_another_type_is_refused() {
    let error = refused(&with_auth("{type: bearer, secrets: [a]}"));
    assert_eq!(error, "p.yaml:6: receiver.sources.cxone.auth: the key secrets does not go with type: bearer");
    let error = refused(&with_auth("{type: none, tokens: [a]}"));
    assert_eq!(error, "p.yaml:6: receiver.sources.cxone.auth: the key tokens does not go with type: none");
    let error = refused(&with_auth("{type: hmac, secrets: [a]}"));
    assert!(error.contains("the key header is missing"), "{error}");
    let error = refused(&with_auth("{type: bearr}"));
    assert!(error.contains("receiver.sources.cxone.auth.type: must be one of none, bearer, basic, hmac"), "{error}");
    let error = refused(&with_auth("{tokens: [a]}"));
    assert!(error.contains("receiver.sources.cxone.auth: the key type is missing"), "{error}");
}

#[test]
fn an_error_does_not_show_a_secret_on_its_line() {
    for auth in [
        format!("{{type: bearer, tokens: {SECRET}}}"),
        format!("{{type: bearer, tokens: {{a: {SECRET}}}}}"),
        format!("{{type: bearr, tokens: [{SECRET}]}}"),
        format!("{{type: hmac, secrets: [{SECRET}], tolerance: 5}}"),
        format!("{{type: bearer, tokns: [{SECRET}]}}"),
        format!("{{type: bearer, tokens: [{SECRET}]"),
        format!("{{type: {SECRET}}}"),
    ] {
        assert_hidden(&refused(&with_auth(&auth)));
    }
}

#[test]
fn secrets_come_from_the_list_and_the_file_which_is_reread() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    std::fs::write(&file, "# old\n  first-token  \r\n\n").unwrap();
    let text = with_auth(&format!("{{type: bearer, tokens: [listed], tokens_file: '{}'}}", file.display()));
    let auth = loaded(&text).receiver.sources["cxone"].auth.clone();
    let secrets = || auth.secrets().unwrap().iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>();
    assert_eq!(secrets(), ["listed", "first-token"]);
    // Editors and shells of Windows write a byte order mark and CRLF.
    std::fs::write(&file, "\u{feff}second-token\r\n").unwrap();
    assert_eq!(secrets(), ["listed", "second-token"]);
    std::fs::remove_file(&file).unwrap();
    let error = auth.secrets().unwrap_err().to_string();
    assert!(error.contains("tokens"), "the file is named: {error}");
}

/// A block of YAML ends with a line break, and so do many mounted secrets.
#[test]
fn white_space_around_a_listed_secret_is_ignored() {
    let text = with_auth(r#"{type: bearer, tokens: ["first\r\n", ' the second ', "\tthird"]}"#);
    let secrets = loaded(&text).receiver.sources["cxone"].auth.secrets().unwrap();
    let secrets: Vec<String> = secrets.iter().map(|secret| secret.expose().to_owned()).collect();
    assert_eq!(secrets, ["first", "the second", "third"]);
}

#[test]
fn debug_and_serialised_forms_hold_no_secrets() {
    let config = loaded(&with_auth(&format!("{{type: hmac, header: h, secrets: [{SECRET}]}}")));
    assert_hidden(&format!("{config:?} {config:#?}"));
    assert_hidden(&serde_json::to_string(&config).unwrap());
}

#[test]
fn sections_of_the_indexer_are_ignored() {
    let text = "indexer: {no_such_key: '${NOT_SET}'}\nelasticsearch: 7\nilm_config_path: {}\n";
    assert!(loaded(text).receiver.sources.is_empty());
    assert_eq!(refused("indexr: {}"), "p.yaml:1: unknown key indexr; did you mean indexer?");
}
