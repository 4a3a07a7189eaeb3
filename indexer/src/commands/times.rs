//! Parses times on the command line: a moment, a duration ago, and where a replay begins or ends.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kafka::position::Partition;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

/// A position in each partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The first record that the log still has.
    Earliest,
    /// The end of the log.
    Now,
    /// The first record with this timestamp or a later one, in milliseconds since the Unix epoch.
    Time(i64),
    /// Offsets by partition.
    Offsets(BTreeMap<Partition, i64>),
}

/// Where a replay begins or ends: the text and its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The text of the command line.
    pub text: String,
    /// The meaning of the text, as of now.
    pub when: When,
}

/// Parses a time such as `2026-01-31T08:00:00Z`, with any UTC offset; a date, which begins at midnight UTC; or a
/// duration such as `2h`, which means two hours ago.
///
/// # Errors
/// A text that says what is expected.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(Moment(time.unix_timestamp().saturating_mul(1_000) + i64::from(time.millisecond())));
    }
    // `humantime` accepts a bare 0, which has no unit.
    if let Ok(ago) = humantime::parse_duration(text)
        && text.ends_with(|last: char| last.is_ascii_alphabetic())
    {
        let then = Some(now().saturating_sub(millis(ago))).filter(|then| *then >= 0);
        return then.map(Moment).ok_or_else(|| format!("{text} ago is before 1970"));
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
    // Times beyond the calendar are shown as its end.
    let latest = Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_millis(UNIX_EPOCH + since.min(latest)).to_string()
}

impl Default for Bound {
    /// The end of the log.
    fn default() -> Self {
        Self { text: "now".to_owned(), when: When::Now }
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), when: text.parse()? })
    }
}

impl FromStr for When {
    type Err = String;

    /// Parses `earliest`, `now`, `PARTITION:OFFSET,…`, or a time as in [`moment`].
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "earliest" => return Ok(Self::Earliest),
            "now" => return Ok(Self::Now),
            _ => {}
        }
        if let Some(offsets) = offsets(text) {
            return Ok(Self::Offsets(offsets));
        }
        moment(text).map(|moment| Self::Time(moment.0)).map_err(|_| {
            format!(
                "{text:?} is none of: earliest, now, a time such as 2026-11-28T09:00:00Z, a duration ago such as 24h, offsets such as 0:1200,1:980"
            )
        })
    }
}

impl When {
    /// Returns the partitions that it names, or `None` if it applies to all.
    pub(crate) fn partitions(&self) -> Option<Vec<Partition>> {
        match self {
            Self::Offsets(offsets) => Some(offsets.keys().copied().collect()),
            Self::Earliest | Self::Now | Self::Time(_) => None,
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn offsets(text: &str) -> Option<BTreeMap<Partition, i64>> {
    let one = |pair: &str| {
        let (partition, offset) = pair.trim().split_once(':')?;
        let partition: i32 = partition.parse().ok().filter(|partition| *partition >= 0)?;
        let offset: i64 = offset.parse().ok().filter(|offset| *offset >= 0)?;
        Some((Partition(partition), offset))
    };
    let pairs: Vec<_> = text.split(',').map(one).collect::<Option<_>>()?;
    let count = pairs.len();
    let offsets: BTreeMap<_, _> = pairs.into_iter().collect();
    // If a partition is named twice, its offset is ambiguous.
    (offsets.len() == count).then_some(offsets)
}

#[cfg(test)]
mod tests;
