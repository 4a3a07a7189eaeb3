use super::*;

#[test]
fn the_number_of_error_type_series_is_bounded() {
    let letters = LetterMetrics::new(&Registry::new()).unwrap();
    letters.begin_topic("events");
    for number in 0..10_000 {
        letters.written("events", "index", &format!("exception_{number}"));
    }
    letters.written("events", "index", &"x".repeat(10_000));
    letters.written("others", "decode", "truncated");
    assert!(letters.written.collect()[0].get_metric().len() <= 2 * MAX_TYPES + 4);
    assert_eq!((letters.of("events"), letters.of("others")), (10_001, 1));
}
