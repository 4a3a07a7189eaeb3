//! `kafka.security` in the words of librdkafka.

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaConfRes;

use config::{ConfigError, KafkaSecurity, read_secret};

/// Sets what `security` says; reads the files of its passwords.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn apply(config: &mut ClientConfig, security: &KafkaSecurity) -> KafkaResult<()> {
    config.set("security.protocol", security.protocol.name());
    for (key, file) in [
        ("ssl.ca.location", &security.ca_file),
        ("ssl.certificate.location", &security.certificate_file),
        ("ssl.key.location", &security.key_file),
    ] {
        if let Some(file) = file {
            config.set(key, file.to_string_lossy());
        }
    }
    if let Some(mechanism) = security.mechanism {
        config.set("sasl.mechanism", mechanism.name());
    }
    if let Some(username) = &security.username {
        config.set("sasl.username", username);
    }
    let passwords = [
        ("ssl.key.password", "key_password", &security.key_password, &security.key_password_file),
        ("sasl.password", "password", &security.password, &security.password_file),
    ];
    for (option, key, value, file) in passwords {
        let secret = read_secret(value.as_ref(), file.as_ref()).map_err(|error| refused(key, error))?;
        if let Some(secret) = secret {
            config.set(option, secret.expose());
        }
    }
    Ok(())
}

/// An error as librdkafka reports one of a setting.
pub(super) fn refused(key: &str, error: ConfigError) -> KafkaError {
    let key = format!("kafka.security.{key}_file");
    KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_INVALID, error.0, key, String::new())
}
