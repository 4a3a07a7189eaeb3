use super::*;

#[test]
fn the_first_matching_pattern_decides_whether_an_index_may_be_created() {
    for (value, allowed) in [
        ("true", true),
        ("false", false),
        ("+*", true),
        ("*", true),
        ("-cxone-events-*,+*", false),
        ("+*,-cxone-events-*", true),
        ("+logs-*", false),
        ("-x*, +cxone-events-0*1", true),
        ("", false),
    ] {
        assert_eq!(allows(value, "cxone-events-000001"), allowed, "{value}");
    }
}

#[test]
fn only_names_of_backing_indices_have_a_number() {
    for (name, number) in [
        ("cxone-events-000001", Some(1)),
        ("cxone-events-1000000", Some(1_000_000)),
        ("cxone-events-00001", None),
        ("cxone-events-eu-000001", None),
        ("cxone-events", None),
        ("shrink-ab-cxone-events-000001", None),
        ("cxone-events-2026.01.02", None),
    ] {
        assert_eq!(generation(name, "cxone-events"), number, "{name}");
    }
}
