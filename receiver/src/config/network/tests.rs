use super::*;

#[test]
fn a_network_contains_the_addresses_with_its_first_bits() {
    let contains =
        |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
    assert!(contains("10.0.0.0/8", "10.255.1.2") && !contains("10.0.0.0/8", "11.0.0.1"));
    assert!(contains("192.0.2.7", "192.0.2.7") && !contains("192.0.2.7", "192.0.2.8"));
    assert!(contains("2001:db8::/32", "2001:db8:1::1") && !contains("2001:db8::/32", "2001:db9::1"));
    assert!(contains("0.0.0.0/0", "1.2.3.4") && !contains("0.0.0.0/0", "::1"));
    assert!(contains("10.0.0.0/8", "::ffff:10.1.1.1"));
    for wrong in ["", "10", "10.0.0.0/33", "10.0.0.0/x", "::/129", "host"] {
        assert!(wrong.parse::<Network>().is_err(), "{wrong}");
    }
}
