//! Tests the format of reports and progress.

use std::fmt;

use super::*;

#[derive(Serialize)]
struct Counts {
    read: u64,
}

impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read {}", self.read)
    }
}

#[test]
fn a_report_is_text_or_one_line_of_json() {
    assert_eq!(Output { json: false }.line(&Counts { read: 3 }), "read 3");
    assert_eq!(Output { json: true }.line(&Counts { read: 3 }), r#"{"read":3}"#);
}

#[test]
fn the_pace_includes_the_time_left_if_the_end_is_known() {
    let second = Duration::from_secs(1);
    assert_eq!(pace(2_000, second, None), "2,000/s");
    assert_eq!(pace(2_000, second, Some((4_000, 10_000))), "2,000/s, 3 seconds left");
    assert_eq!(pace(0, second, Some((0, 10_000))), "0/s", "nothing is known yet");
    assert_eq!(pace(10, second, Some((10, 10))), "10/s", "nothing is left");
}

#[test]
fn work_done_before_the_start_does_not_count_for_the_rate() {
    let mut progress = Progress::new("replay", Some(100), false);
    progress.show(40, "");
    assert_eq!(progress.begin, Some(40));
    progress.show(50, "");
    assert_eq!(progress.begin, Some(40));
}
