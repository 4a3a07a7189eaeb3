//! The values of the curves, and their names.

use harness::paths;

use super::*;

#[test]
fn the_values_reach_from_one_end_to_the_other() {
    assert_eq!(Curve::Partitions.values(4), [1, 4, 16, 64]);
    assert_eq!(Curve::Events.values(5), [200, 1_100, 6_300, 36_000, 200_000]);
    assert_eq!(Curve::Connections.values(5), [1, 6, 32, 180, 1_024]);
    assert_eq!(Curve::Batches.values(2), [100, 10_000]);
}

#[test]
fn no_value_occurs_twice() {
    for curve in Curve::value_variants() {
        let values = curve.values(12);
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "{curve:?}: {values:?}");
    }
}

#[test]
fn a_curve_has_the_name_of_the_command_line() {
    for curve in Curve::value_variants() {
        let value = curve.to_possible_value().expect("no curve is hidden");
        assert_eq!(value.get_name(), curve.name());
    }
}

#[test]
fn the_document_says_what_bends_each_curve() {
    let text = std::fs::read_to_string(paths::in_repository("docs/benchmarks.md")).expect("the document");
    for curve in Curve::value_variants() {
        assert!(
            text.contains(curve.hint()),
            "docs/benchmarks.md does not say about {}: {}",
            curve.name(),
            curve.hint()
        );
    }
}
