use super::*;

const EVERY: Duration = Duration::from_secs(5);

#[test]
fn it_is_due_one_interval_after_it_began() {
    let now = Instant::now();
    let mut interval = Interval::after(now, EVERY);
    assert!(!interval.begin(now) && !interval.begin(now + EVERY / 2));
    assert!(interval.begin(now + EVERY));
    assert!(!interval.begin(now + EVERY * 3 / 2), "the next one counts from the last one");
    assert!(interval.begin(now + EVERY * 2));
}

#[test]
fn it_does_not_wait_if_it_begins_at_once_or_is_hurried() {
    let now = Instant::now();
    let mut interval = Interval::at_once(EVERY);
    assert!(interval.begin(now) && !interval.begin(now));
    interval.hurry();
    assert!(interval.begin(now) && !interval.begin(now));
}
