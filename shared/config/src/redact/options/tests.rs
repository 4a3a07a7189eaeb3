use super::*;

#[test]
fn the_public_list_is_sorted_and_contains_no_secret() {
    assert!(PUBLIC.is_sorted());
    for public in ["linger.ms", "client.id", "security.protocol", "message.max.bytes"] {
        assert!(is_public(public), "{public}");
    }
    for secret in [
        "sasl.password",
        "sasl.username",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
        "ssl.key.passphrase",
        "sasl.oauthbearer.client.secret",
        "sasl.jaas.config",
        "sasl.pasword",
        "anything",
    ] {
        assert!(!is_public(secret), "{secret}");
    }
}
