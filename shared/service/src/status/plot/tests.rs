use super::*;

#[test]
fn the_newest_sample_is_at_the_right_and_the_highest_at_the_top() {
    let drawn = plot(&[Some(0.0), Some(5.0), Some(10.0)], 180);
    assert_eq!(drawn.line, "M177,40.0 178,20.8 179,1.5h0");
    assert_eq!(drawn.area, "M177,40 177,40.0 178,20.8 179,1.5 179,40z");
    assert_eq!(drawn.highest, Some(10.0));
}

#[test]
fn a_missing_sample_is_a_gap() {
    assert_eq!(plot(&[None, Some(1.0), None, None, Some(1.0), Some(0.0)], 6).line, "M1,1.5h0M4,1.5 5,40.0h0");
}

#[test]
fn no_samples_and_all_zeros_can_be_drawn() {
    assert_eq!(plot(&[None], 180), Plot { line: String::new(), area: String::new(), highest: None });
    assert_eq!(plot(&[Some(0.0)], 180).line, "M179,40.0h0");
}
