use axum::http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{CertificateParams, DnType, KeyPair};

use super::*;

/// Returns a certificate of `sender.example`, in DER and in PEM.
fn certificate() -> (Vec<u8>, String) {
    let mut params = CertificateParams::new(vec!["sender.example".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "The Sender");
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    (certificate.der().to_vec(), certificate.pem())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Returns the owner of the certificate in a request with these values of the header.
fn peer(format: CertificateFormat, values: &[&str]) -> Option<Peer> {
    let forwarded = Forwarded::new(&ForwardedCertificate { format, header: Some("x-cert".to_owned()) }).unwrap();
    let mut head = HeaderMap::new();
    for value in values {
        head.append("x-cert", HeaderValue::from_str(value).unwrap());
    }
    forwarded.peer(&head)
}

#[test]
fn a_certificate_is_read_in_every_format_of_proxies() {
    let (der, pem) = certificate();
    let (expected, base64) = (Some(Peer::of(&der)), STANDARD.encode(&der));
    // nginx and AWS encode the PEM, and AWS leaves +, = and / as they are. Apache and old nginx replace the line
    // breaks. Traefik and HAProxy send only the base64.
    let aws = pem.replace('\n', "%0A").replace(' ', "%20");
    for value in [encoded(&pem), aws, pem.replace('\n', " "), pem.replace('\n', "\t"), base64.clone()] {
        assert_eq!(peer(CertificateFormat::Pem, &[&value]), expected, "{value}");
    }
    let chain = [encoded(&pem), encoded(&certificate().1)];
    assert_eq!(peer(CertificateFormat::Pem, &[&chain.concat()]), expected, "the first of a chain");
    assert_eq!(peer(CertificateFormat::Pem, &[&format!("{base64},{}", STANDARD.encode(certificate().0))]), expected);
    assert_eq!(peer(CertificateFormat::Rfc9440, &[&format!(":{base64}:")]), expected);
    for value in [format!("Hash=00;Cert=\"{}\"", encoded(&pem)), format!("By=x;CERT={}", encoded(&pem))] {
        assert_eq!(peer(CertificateFormat::Xfcc, &[&value]), expected, "{value}");
    }
}

#[test]
fn an_invalid_or_repeated_certificate_is_ignored() {
    let (der, pem) = certificate();
    let base64 = STANDARD.encode(&der);
    for value in ["", "x", "-----BEGIN CERTIFICATE-----", "AAAA", "%", "%2"] {
        assert_eq!(peer(CertificateFormat::Pem, &[value]), None, "{value}");
    }
    for value in ["", ":", "::", &base64, &format!(":{base64}"), ":AAAA:"] {
        assert_eq!(peer(CertificateFormat::Rfc9440, &[value]), None, "{value}");
    }
    for value in ["", ";", ",", "Hash=00", "Cert=\"x\"", "Cert=", "=", "\"", "Subject=\"O=Example\""] {
        assert_eq!(peer(CertificateFormat::Xfcc, &[value]), None, "{value}");
    }
    let (one, two) = (encoded(&pem), format!(":{base64}:"));
    assert_eq!(peer(CertificateFormat::Pem, &[&one, &one]), None);
    assert_eq!(peer(CertificateFormat::Rfc9440, &[&two, &two]), None);
    assert_eq!(peer(CertificateFormat::Pem, &[]), None);
}

#[test]
fn among_several_elements_that_of_the_nearest_proxy_counts() {
    let element = |name: &str| format!("By=spiffe://mesh/us;Hash=00;URI=spiffe://mesh/{name}");
    let named = |name: &str| Some(Peer::named(vec![format!("spiffe://mesh/{name}")]));
    let both = format!("{},{}", element("evil"), element("sender"));
    assert_eq!(peer(CertificateFormat::Xfcc, &[&both]), named("sender"));
    assert_eq!(peer(CertificateFormat::Xfcc, &[&element("evil"), &element("sender")]), named("sender"));
    // The nearest proxy saw no certificate.
    assert_eq!(peer(CertificateFormat::Xfcc, &[&format!("{},Hash=00", element("evil"))]), None);
}

#[test]
fn an_open_quote_from_the_client_does_not_hide_the_proxys_element() {
    let appended = [
        r#"By=spiffe://mesh/us;Hash=00;Subject="CN=evil";URI=spiffe://mesh/evil"#,
        "By=spiffe://mesh/us;Hash=00;URI=spiffe://mesh/evil",
        // This makes the number of quotes even again.
        r#"By=spiffe://mesh/us;Hash=00;Subject="CN=a\"b";URI=spiffe://mesh/evil"#,
        r#"By=spiffe://mesh/us;Hash=00;Subject="";URI=spiffe://mesh/evil"#,
    ];
    for written in [r#"URI=spiffe://mesh/victim;X=""#, r#"URI=spiffe://mesh/victim;X="\"#, r#"X="a"b""#, r#"X=a""#] {
        for appended in appended {
            let value = format!("{written},{appended}");
            assert_eq!(peer(CertificateFormat::Xfcc, &[&value]), None, "{value}");
        }
    }
    // Well-placed quotes hide nothing, not even around an empty text.
    let evil = Some(Peer::named(vec!["spiffe://mesh/evil".to_owned()]));
    for written in [r#"URI=spiffe://mesh/victim;X="""#, r#"URI="spiffe://mesh/victim""#, "URI", "URI="] {
        let value = format!("{written},{}", appended[1]);
        assert_eq!(peer(CertificateFormat::Xfcc, &[&value]), evil, "{value}");
    }
}

#[test]
fn escaped_text_cannot_forge_names_in_an_element() {
    let value = r#"Subject="CN=The Sender,O=Example";URI=spiffe://a/b;DNS=one.example;DNS="two.example""#;
    let names = ["spiffe://a/b", "one.example", "two.example", "The Sender"].map(str::to_owned).to_vec();
    assert_eq!(peer(CertificateFormat::Xfcc, &[value]), Some(Peer::named(names)));
    for (subject, name) in [
        (r"O=Evil\,CN=sender,CN=evil", "evil"),
        (r"CN=evil\,CN=sender", "evil,CN=sender"),
        (r"O=a\\,CN=b", "b"),
        (r#"CN=a\";DNS=sender;X=\"b"#, r#"a";DNS=sender;X="b"#),
        ("OU=x+CN=y,O=z", "y"),
    ] {
        let value = format!("Subject=\"{subject}\"");
        assert_eq!(peer(CertificateFormat::Xfcc, &[&value]), Some(Peer::named(vec![name.to_owned()])), "{subject}");
    }
}
