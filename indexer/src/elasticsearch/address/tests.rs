use super::*;

fn urls(text: &str) -> Vec<String> {
    parse(text).unwrap().0.iter().map(Url::to_string).collect()
}

#[test]
fn several_addresses_are_separated_by_commas() {
    assert_eq!(urls("http://a:9200, https://b/es ,"), ["http://a:9200/", "https://b/es"]);
}

#[test]
fn the_user_of_an_address_is_removed_from_it() {
    let (urls, user) = parse("https://me:p%40ss@a:9200").unwrap();
    assert_eq!(urls[0].as_str(), "https://a:9200/");
    let (name, password) = user.unwrap();
    assert_eq!((name.as_str(), password.expose()), ("me", "p@ss"));
}

#[test]
fn an_invalid_address_is_refused_without_repeating_it() {
    for text in ["", " , ", "a:9200", "ftp://me:secret@a", "http://me:secret@"] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains("address") && !error.contains("secret"), "{text}: {error}");
    }
}

#[test]
fn loopback_is_distinguished_from_other_hosts() {
    for (text, expected) in [
        ("http://localhost:9200", true),
        ("http://127.0.0.2", true),
        ("http://[::1]:9200", true),
        ("http://10.0.0.1", false),
        ("http://localhost.example", false),
    ] {
        assert_eq!(is_loopback(&Url::parse(text).unwrap()), expected, "{text}");
    }
}
