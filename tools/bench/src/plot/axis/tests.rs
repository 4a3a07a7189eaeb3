//! Scales and ticks.

use plotters::coord::ranged1d::BoldPoints;

use super::*;

#[test]
fn values_of_one_magnitude_have_a_linear_axis_from_0() {
    let axis = Axis::of_values(&[180_000.0, 320_000.0]);
    assert_eq!(axis.range(), 0.0..400_000.0);
    assert_eq!(axis.key_points(BoldPoints(11)), [0.0, 100_000.0, 200_000.0, 300_000.0, 400_000.0]);
    assert_eq!(axis.map(&0.0, (200, 0)), 200, "the y axis of a picture begins at the bottom");
    assert_eq!(axis.map(&100_000.0, (200, 0)), 150);
}

#[test]
fn values_of_several_magnitudes_have_a_logarithmic_axis() {
    let axis = Axis::of_values(&[30.0, 900.0]);
    assert_eq!(axis.range(), 10.0..1_000.0);
    assert_eq!(axis.key_points(BoldPoints(11)), [10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0]);
    assert_eq!(axis.map(&100.0, (0, 200)), 100);
    let axis = Axis::of_values(&[3.0, 9_000.0]);
    assert_eq!(axis.key_points(BoldPoints(11)), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
}

#[test]
fn what_grows_has_a_tick_at_each_value() {
    let axis = Axis::of_steps(&[1.0, 1.0, 8.0, 64.0, 64.0]);
    assert_eq!(axis.key_points(BoldPoints(11)), [1.0, 8.0, 64.0]);
    assert_eq!(axis.map(&8.0, (0, 100)), 50);
    assert!(axis.map(&1.0, (0, 100)) > 0 && axis.map(&64.0, (0, 100)) < 100);
}

#[test]
fn an_axis_without_values_or_with_zeros_has_a_range() {
    assert_eq!(Axis::of_values(&[]).range(), 0.0..1.0);
    assert_eq!(Axis::of_values(&[0.0, 0.0]).range(), 0.0..1.0);
    assert_eq!(Axis::of_values(&[0.0, 50.0]).range(), 0.0..60.0);
    assert_eq!(Axis::of_steps(&[5.0]).map(&5.0, (0, 100)), 50);
}
