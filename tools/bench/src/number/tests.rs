//! The forms of numbers.

use super::*;

#[test]
fn numbers_are_short_and_readable() {
    let shown = [0.0, 0.564, 12.34, 999.0, 1_000.0, 1_234_567.0].map(short);
    assert_eq!(shown, ["0.00", "0.56", "12.3", "999.0", "1,000", "1,234,567"]);
}

#[test]
fn whole_numbers_have_no_decimals_in_a_label() {
    let shown = [0.0, 8.0, 0.25, 200_000.0].map(exact);
    assert_eq!(shown, ["0", "8", "0.25", "200,000"]);
}
