use std::io::Write as _;

use service::secret::Secret;

use super::*;

fn config(headers: &[(&str, &str)], file: Option<&str>) -> (Tracing, Option<tempfile::NamedTempFile>) {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    let file = file.map(|text| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    });
    let headers_file = file.as_ref().map(|file| file.path().to_owned());
    (Tracing { headers, headers_file, ..Tracing::default() }, file)
}

#[test]
fn the_headers_file_overrides_the_config_and_values_are_hidden() {
    let text = "\u{feff}# the vendor's\n\nApi-Key:  from the file \n";
    let (config, _file) = config(&[("api-key", "from the config"), ("x-tenant", "t")], Some(text));
    let headers = config.all_headers().unwrap();
    assert_eq!(headers["api-key"], "from the file");
    assert_eq!(headers["x-tenant"], "t");
    let shown = format!("{headers:?} {config:?}");
    assert!(!shown.contains("from the"), "{shown}");
}

#[test]
fn an_invalid_header_is_refused_without_showing_its_value() {
    for (given, file, expected) in [
        (&[("no name", "s3cret")][..], None, "not the name of a header"),
        (&[("api-key", "s3cret\n")], None, ""),
        (&[("api-key", "s3\ncret")], None, "the value of api-key holds characters that cannot be sent"),
        (&[], Some("api-key: a\ns3cret\n"), ":2: must be a header, `name: value`"),
    ] {
        let (config, _file) = config(given, file);
        let error = config.all_headers().map_or_else(|error| error.to_string(), |_| String::new());
        assert!(error.ends_with(expected) && !error.contains("cret\n") && !error.contains("s3cret"), "{error}");
        assert_eq!(error.is_empty(), expected.is_empty(), "{error}");
    }
}
