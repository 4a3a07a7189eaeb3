use prometheus::{Gauge, IntGauge};

use super::*;

#[test]
fn it_shows_what_is_made_of_the_parts_that_were_set() {
    let gauge = IntGauge::new("g", "h").unwrap();
    let first = SharedGauge::new(gauge.clone(), i64::min);
    let (second, third) = (first.part(1), first.part(2));
    first.set(4);
    assert_eq!(gauge.get(), 4, "the others have not been set");
    third.set(2);
    second.clone().set(3);
    assert_eq!(gauge.get(), 2);
    third.set(9);
    assert_eq!((gauge.get(), first.get()), (3, 3));
}

#[test]
fn fractions_have_one_too() {
    let gauge = Gauge::new("g", "h").unwrap();
    let first = SharedGauge::new(gauge.clone(), f64::max);
    let second = first.part(1);
    second.set(0.5);
    first.set(1.5);
    second.set(0.25);
    assert!((gauge.get() - 1.5).abs() < f64::EPSILON);
}
