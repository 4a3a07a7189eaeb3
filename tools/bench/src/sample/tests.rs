//! Calculations on one measurement.

use super::*;

#[test]
fn rate_and_cpu_time_are_per_event() {
    let usage = |cpu_seconds| Usage { cpu_seconds, peak_bytes: 3 << 20 };
    let sample = Sample::new(500_000, Duration::from_secs(2)).with_usage_between(usage(1.0), usage(2.5));
    assert_eq!(sample.rate(), 250_000.0);
    assert_eq!(sample.cpu_per_million(), 3.0);
    assert_eq!(sample.peak_mib(), Some(3.0));
}

#[test]
fn the_median_of_samples_is_the_middle_value() {
    assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median([]), None);
}
