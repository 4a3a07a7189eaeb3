use super::*;

#[test]
fn a_life_without_end_does_not_overflow() {
    for expires_in in [1 << 63, u64::MAX] {
        let life = lifetime(Some(expires_in));
        assert!(SystemTime::now().checked_add(life).is_some_and(|end| end > SystemTime::now()));
    }
    assert_eq!(lifetime(Some(60)).as_secs(), 60);
    assert_eq!(lifetime(None).as_secs(), DEFAULT_LIFETIME);
}
