//! `elasticsearch.placement`.

use std::time::Duration;

use config::check::Problems;

use crate::config::{Elasticsearch, OnDuplicate, Placement, Strategy};

/// With a smaller margin, the list of backing indices would be read all the time.
const LEAST_MARGIN: Duration = Duration::from_millis(200);

/// If a partition waited longer for one record, it would hardly be consumed.
const MOST_AHEAD: Duration = Duration::from_secs(3_600);

pub(super) fn check(elasticsearch: &Elasticsearch, problems: &mut Problems) {
    let placement = &elasticsearch.placement;
    if placement.margin < LEAST_MARGIN {
        problems.add(
            "elasticsearch.placement.margin",
            "must be at least 200ms: it has to cover the differences between clocks",
        );
    }
    problems.not_zero("elasticsearch.placement.refresh_interval", placement.refresh_interval);
    if placement.max_ahead > MOST_AHEAD {
        problems
            .add("elasticsearch.placement.max_ahead", "must be at most 1h: a partition waits that long for one record");
    }
    problems.not_empty("elasticsearch.placement.time_field", &placement.time_field);
    pattern(placement, problems);
    if elasticsearch.on_duplicate == OnDuplicate::KeepLast {
        let reason = match elasticsearch.strategy {
            Strategy::Single => return,
            Strategy::DataStream => "a data stream does not update documents",
            Strategy::Rollover | Strategy::Time => {
                "two events with one id can have different times and go to two indices, where both would stay"
            }
        };
        let message = format_args!("keep_last needs elasticsearch.strategy: single: {reason}; or choose keep_first");
        problems.add("elasticsearch.on_duplicate", message);
    }
}

fn pattern(placement: &Placement, problems: &mut Problems) {
    let key = "elasticsearch.placement.time_pattern";
    let mut parts = placement.time_pattern.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut units = String::new();
    for part in parts {
        let unit = part.chars().next().unwrap_or('%');
        if !"YmdHMS".contains(unit) {
            problems.add(key, "may contain %Y, %m, %d, %H, %M and %S, but no other %");
            return;
        }
        units.push(unit);
        text.push_str(&part[unit.len_utf8()..]);
    }
    if !units.contains('Y') {
        problems.add(key, "must contain %Y: without the year, an index would be written to again each year");
    }
    if !text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c)) {
        problems.add(
            key,
            "must contain only lowercase letters, digits, dots, dashes and underscores apart from its % units",
        );
    }
}
