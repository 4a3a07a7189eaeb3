use super::*;

/// The client skips, without an error, a certificate that does not begin a line.
#[test]
fn no_authority_is_lost_to_a_byte_order_mark_or_a_missing_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----";
    std::fs::write(&file, format!("\u{feff}{certificate}{certificate}")).unwrap();
    let pem = String::from_utf8(read_authorities(&file).unwrap()).unwrap();
    assert_eq!(pem.lines().filter(|line| *line == "-----BEGIN CERTIFICATE-----").count(), 2);
}
