use super::*;

/// The client skips, without an error, a certificate that does not begin a line.
#[test]
fn no_authority_is_lost_to_a_byte_order_mark_or_a_missing_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----";
    std::fs::write(&file, format!("\u{feff}{certificate}{certificate}")).unwrap();
    let pem = Authorities::read(&file, Instant::now()).unwrap().pem();
    let pem = std::str::from_utf8(&pem).unwrap();
    assert_eq!(pem.lines().filter(|line| *line == "-----BEGIN CERTIFICATE-----").count(), 2);
}

#[test]
fn changed_authorities_count_at_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "one").unwrap();
    let now = Instant::now();
    let authorities = Authorities::read(&file, now).unwrap();
    let look = |number: u32, is_usable: bool| {
        let mut trusted = None;
        authorities.renew(now + LOOK_EVERY * number / 2, |pem| {
            trusted = Some(String::from_utf8_lossy(pem).into_owned());
            is_usable.then_some(()).ok_or_else(|| SettingsError::CaFile("no certificate".to_owned()))
        });
        trusted
    };
    assert_eq!(look(2, true), None, "it is the same");
    std::fs::write(&file, "two").unwrap();
    assert_eq!(look(3, true), None, "it is not yet time");
    assert_eq!(look(4, false), Some("two".to_owned()));
    assert_eq!(authorities.pem().as_slice(), b"one", "the last ones stay");
    assert_eq!(look(6, true), Some("two".to_owned()), "it is tried again");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(look(8, true), None);
    assert_eq!(authorities.pem().as_slice(), b"two");
}
