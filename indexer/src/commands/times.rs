//! Times on the command line: a moment, or how long ago it was.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

/// Reads `2026-01-31T08:00:00Z`, `2026-01-31` or `2h`, which is two hours ago, for clap.
///
/// # Errors
/// What is expected.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(Moment(now().saturating_sub(millis(ago))));
    }
    let day = format!("{text}T00:00:00Z");
    let parsed = humantime::parse_rfc3339_weak(text).or_else(|_| humantime::parse_rfc3339(&day));
    let since = parsed.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let since =
        since.ok_or_else(|| "a moment such as 2026-01-31T08:00:00Z (UTC), or how long ago, such as 2h".to_owned())?;
    Ok(Moment(millis(since)))
}

/// Returns the time now, in milliseconds since the Unix epoch.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// Returns `at`, in milliseconds since the Unix epoch, as RFC 3339 in UTC.
pub fn text(at: i64) -> String {
    let since = Duration::from_millis(u64::try_from(at).unwrap_or(0));
    // What no calendar has is as late as one can say.
    let latest = Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_millis(UNIX_EPOCH + since.min(latest)).to_string()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
