//! Where a replay begins or ends, as the command line says it: a time, offsets, or an end of the log.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::SystemTime;

use kafka::position::Partition;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A place in each partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The first record that the log still has.
    Earliest,
    /// The end of the log.
    Now,
    /// The first record whose timestamp is not before this one, in milliseconds since the Unix epoch.
    Time(i64),
    /// Offsets by partition.
    Offsets(BTreeMap<Partition, i64>),
}

/// A place as it was written, and what that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The text of the command line.
    pub text: String,
    /// What it means, as of now.
    pub when: When,
}

impl Default for Moment {
    /// The end of the log.
    fn default() -> Self {
        Self { text: "now".to_owned(), when: When::Now }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), when: text.parse()? })
    }
}

impl FromStr for When {
    type Err = String;

    /// Reads `earliest`, `now`, an RFC 3339 time, a duration before now such as `24h`, or `PARTITION:OFFSET,…`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "earliest" => return Ok(Self::Earliest),
            "now" => return Ok(Self::Now),
            _ => {}
        }
        if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
            return Ok(Self::Time(time.unix_timestamp().saturating_mul(1_000) + i64::from(time.millisecond())));
        }
        // `humantime` takes a bare 0, which is an offset without its partition here.
        if let Ok(ago) = humantime::parse_duration(text)
            && text.ends_with(|last: char| last.is_ascii_alphabetic())
        {
            let then =
                SystemTime::now().checked_sub(ago).and_then(|then| then.duration_since(SystemTime::UNIX_EPOCH).ok());
            let millis = then.and_then(|then| i64::try_from(then.as_millis()).ok());
            return millis.map(Self::Time).ok_or_else(|| format!("{text} ago is before 1970"));
        }
        offsets(text).map(Self::Offsets).ok_or_else(|| {
            format!(
                "{text:?} is none of: earliest, now, a time such as 2026-11-28T09:00:00Z, a duration ago such as 24h, offsets such as 0:1200,1:980"
            )
        })
    }
}

impl When {
    /// Returns the partitions that it names; none where it is for all.
    pub(super) fn partitions(&self) -> Option<Vec<Partition>> {
        match self {
            Self::Offsets(offsets) => Some(offsets.keys().copied().collect()),
            Self::Earliest | Self::Now | Self::Time(_) => None,
        }
    }
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
    // A partition that is named twice has two offsets.
    (offsets.len() == count).then_some(offsets)
}

#[cfg(test)]
mod tests;
