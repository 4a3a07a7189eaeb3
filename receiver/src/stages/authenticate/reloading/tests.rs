use std::path::Path;

use super::*;

fn reloading(file: &Path, gauge: &IntGauge) -> Result<ReloadingAuthenticator, AuthError> {
    let auth = Auth::StandardWebhooks {
        trusted_headers: Vec::new(),
        tolerance: std::time::Duration::from_secs(300),
        replay_capacity: 10,
        secrets: Vec::new(),
        secrets_file: Some(file.to_owned()),
    };
    ReloadingAuthenticator::new("cxone", &auth, gauge.clone())
}

#[test]
fn unusable_new_secrets_are_refused_and_the_last_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (file, gauge) = (folder.path().join("secrets"), IntGauge::new("unusable", "test").unwrap());
    std::fs::write(&file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let reloading = reloading(&file, &gauge).unwrap();
    let first = reloading.current();
    // An empty key, a short key, no key, and text that is not base64.
    for unusable in ["whsec_", "whsec_c2hvcnQ=", "", "whsec_%"] {
        std::fs::write(&file, unusable).unwrap();
        reloading.reload();
        assert!(Arc::ptr_eq(&first, &reloading.current()), "{unusable:?} is in use");
        assert_eq!(gauge.get(), 1, "{unusable:?}");
    }
    std::fs::write(&file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx\n").unwrap();
    reloading.reload();
    assert!(!Arc::ptr_eq(&first, &reloading.current()));
    assert_eq!(gauge.get(), 0);
}

/// The file may change between the check of the config and the start.
#[test]
fn secrets_are_checked_again_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (file, gauge) = (folder.path().join("secrets"), IntGauge::new("unusable", "test").unwrap());
    for unusable in ["whsec_", "whsec_c2hvcnQ=", "", "whsec_%"] {
        std::fs::write(&file, unusable).unwrap();
        assert!(matches!(reloading(&file, &gauge), Err(AuthError::Secrets { .. })), "{unusable:?}");
    }
}
