//! The measured part of the document.

use harness::paths;

use super::*;
use crate::growth::curve::Curve;

#[test]
fn the_measured_part_is_replaced_and_the_rest_stays() {
    let curves = [Curve::Partitions, Curve::Schemas].map(|curve| Measured { curve, points: Vec::new() });
    let text = format!("# A title\n\n{BEGIN}\nan old table\n\n{END}\n## Another title\n");
    let text = with_results(&text, &Machine::look(), &curves, &[], "images").expect("a place");
    assert!(text.starts_with("# A title\n\n<!-- ") && text.ends_with("\n## Another title\n"), "{text}");
    assert!(text.contains("\n![partitions of the topic](images/growth-partitions.svg)\n"), "{text}");
    assert!(text.contains("\n![schemas of the events](images/growth-schemas.svg)\n"), "{text}");
    assert!(text.contains("| events/s |") && !text.contains("an old table"), "{text}");
    let again = with_results(&text, &Machine::look(), &curves, &[], "images").expect("a place");
    assert_eq!(again.matches("images/").count(), 2, "it can be written again");
}

#[test]
fn a_document_without_the_place_is_refused() {
    let refused = with_results("# A title\n", &Machine::look(), &[], &[], "images");
    assert!(refused.expect_err("no place").to_string().contains("PENSTOCK_WRITE_DOCS"));
}

#[test]
fn the_document_has_a_place_for_what_is_measured() {
    let text = std::fs::read_to_string(paths::in_repository("docs/benchmarks.md")).expect("the document");
    with_results(&text, &Machine::look(), &[], &[], "images").expect("a place");
}
