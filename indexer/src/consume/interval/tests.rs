use super::*;

const EVERY: Duration = Duration::from_secs(5);

#[test]
fn it_is_due_an_interval_after_it_began_and_not_before() {
    let now = Instant::now();
    let mut interval = Interval::after(now, EVERY);
    assert!(!interval.begin(now) && !interval.begin(now + EVERY / 2));
    assert!(interval.begin(now + EVERY));
    assert!(!interval.begin(now + EVERY * 3 / 2), "the next one counts from the last one");
    assert!(interval.begin(now + EVERY * 2));
}

#[test]
fn one_that_begins_at_once_or_is_hurried_does_not_wait() {
    let now = Instant::now();
    let mut interval = Interval::at_once(EVERY);
    assert!(interval.begin(now) && !interval.begin(now));
    interval.hurry();
    assert!(interval.begin(now) && !interval.begin(now));
}
