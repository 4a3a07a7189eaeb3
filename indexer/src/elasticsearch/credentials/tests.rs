use std::path::Path;
use std::time::Duration;

use super::*;

fn bearer(value: Option<&str>, file: Option<&Path>) -> Result<Credentials, SettingsError> {
    let auth = ElasticsearchAuth::Bearer { token: value.map(Secret::new), token_file: file.map(Path::to_owned) };
    Credentials::new(&auth, None)
}

fn token(credentials: Option<auth::Credentials>) -> String {
    match credentials {
        Some(auth::Credentials::Bearer(token)) => token,
        other => panic!("{:?}", other.is_some()),
    }
}

#[test]
fn a_file_is_read_again_at_its_interval_or_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one\n").unwrap();
    let credentials = bearer(Some("ignored"), Some(&path)).unwrap();
    let now = Instant::now();
    assert_eq!(token(credentials.changed(now, true)), "one");
    assert!(credentials.changed(now, true).is_none(), "it is the same");

    std::fs::write(&path, "two\n").unwrap();
    let later = SystemTime::now() + Duration::from_secs(9);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    assert!(credentials.changed(now + LOOK_EVERY / 2, false).is_none(), "it is not yet time");
    assert_eq!(token(credentials.changed(now + LOOK_EVERY, false)), "two");
    assert!(credentials.changed(now + LOOK_EVERY * 2, false).is_none());
}

#[test]
fn a_missing_or_empty_file_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one").unwrap();
    let credentials = bearer(None, Some(&path)).unwrap();
    assert_eq!(token(credentials.changed(Instant::now(), true)), "one");
    std::fs::remove_file(&path).unwrap();
    assert!(credentials.changed(Instant::now(), true).is_none());
    std::fs::write(&path, "").unwrap();
    assert!(credentials.changed(Instant::now(), true).is_none());
    std::fs::write(&path, "two").unwrap();
    assert_eq!(token(credentials.changed(Instant::now(), true)), "two");
}

#[test]
fn invalid_credentials_are_refused_with_their_key_but_not_their_value() {
    let missing = bearer(None, None).err().unwrap().to_string();
    assert!(missing.contains("auth.token:") && missing.contains("auth.token_file"), "{missing}");
    let unsendable = bearer(Some("hunter2\u{7}"), None).err().unwrap().to_string();
    assert!(unsendable.contains("auth.token:") && !unsendable.contains("hunter2"), "{unsendable}");
    let nowhere = bearer(None, Some(Path::new("/nowhere/token"))).err().unwrap().to_string();
    assert!(nowhere.contains("auth.token_file:") && nowhere.contains("/nowhere/token"), "{nowhere}");
}

#[test]
fn an_api_key_may_be_encoded_or_plain() {
    let credentials = |key: &str| {
        let auth = ElasticsearchAuth::ApiKey { api_key: Some(Secret::new(key)), api_key_file: None };
        Credentials::new(&auth, None).unwrap().changed(Instant::now(), true).unwrap()
    };
    assert!(matches!(credentials("aWQ6a2V5"), auth::Credentials::EncodedApiKey(_)));
    assert!(matches!(credentials("id:key"), auth::Credentials::ApiKey(id, key) if id == "id" && key == "key"));
}

#[test]
fn the_user_of_an_address_is_used_if_auth_is_not_set() {
    let user = || Some(("me".to_owned(), Secret::new("pass")));
    let from_address = Credentials::new(&ElasticsearchAuth::None, user()).unwrap();
    assert!(matches!(from_address.changed(Instant::now(), true), Some(auth::Credentials::Basic(..))));
    let auth = ElasticsearchAuth::Bearer { token: Some(Secret::new("t")), token_file: None };
    let configured = Credentials::new(&auth, user()).unwrap();
    assert_eq!(token(configured.changed(Instant::now(), true)), "t");
}

#[test]
fn a_file_is_read_as_those_of_other_secrets_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    for text in ["one", "one\n", "one\r\n", "\u{feff}one\r\n", "  one \n\n"] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(token(bearer(None, Some(&path)).unwrap().changed(Instant::now(), true)), "one", "{text:?}");
        let auth =
            ElasticsearchAuth::Basic { username: "me".to_owned(), password: None, password_file: Some(path.clone()) };
        let basic = Credentials::new(&auth, None).unwrap().changed(Instant::now(), true);
        assert!(matches!(basic, Some(auth::Credentials::Basic(_, password)) if password == "one"), "{text:?}");
        assert_eq!(config::read_secret(None, Some(&path)).unwrap().unwrap().expose(), "one", "{text:?}");
    }
}
