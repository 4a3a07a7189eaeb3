//! Translates `kafka.security` into librdkafka settings.

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaConfRes;

use config::{ConfigError, KafkaSecurity, read_secret};

/// Applies `security` to `config`, and reads the password files.
///
/// # Errors
/// If a file cannot be read.
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

/// Returns an error in the form in which librdkafka reports an invalid setting.
pub(super) fn refused(key: &str, error: ConfigError) -> KafkaError {
    let key = format!("kafka.security.{key}_file");
    KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_INVALID, error.0, key, String::new())
}
