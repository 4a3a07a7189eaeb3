//! A secret is never shown.

use super::*;

#[test]
fn debug_and_serialisation_redact_a_secret() {
    let secret: Secret = serde_json::from_str(r#""hunter2""#).unwrap();
    assert_eq!(secret.expose(), "hunter2");
    assert_eq!(format!("{secret:?} {:?} {:#?}", Some(&secret), [&secret]).matches("hunter2").count(), 0);
    assert_eq!(serde_json::to_string(&secret).unwrap(), r#""[redacted]""#);
}
