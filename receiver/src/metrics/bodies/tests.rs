use super::*;

#[test]
fn invented_field_names_create_a_bounded_number_of_series() {
    let registry = Registry::new();
    let source = BodyMetrics::new(&registry).unwrap().source("cxone");
    for number in 0..10_000 {
        source.invalid("truncated", &format!("field{number}.part"));
    }
    source.invalid("truncated", &"x".repeat(10_000));
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == "penstock_receiver_invalid_events_total").unwrap();
    assert_eq!(family.get_metric().len(), MAX_FIELDS + 1);
}
