//! A secret is not seen.

use super::*;

#[test]
fn a_secret_is_neither_in_debug_nor_in_its_serialised_form() {
    let secret: Secret = serde_json::from_str(r#""hunter2""#).unwrap();
    assert_eq!(secret.expose(), "hunter2");
    assert_eq!(format!("{secret:?} {:?} {:#?}", Some(&secret), [&secret]).matches("hunter2").count(), 0);
    assert_eq!(serde_json::to_string(&secret).unwrap(), r#""[redacted]""#);
}
