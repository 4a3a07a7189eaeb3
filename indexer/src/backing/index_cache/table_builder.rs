//! Builds the table of an alias or data stream from a list of its indices.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::seen::Seen;
use crate::backing::list::{self, ReadError};
use crate::config::{Elasticsearch, Expired, Strategy};
use crate::elasticsearch::Client;
use crate::placement::calendar::Calendar;
use crate::placement::table::{FoundIndex, Table};
use crate::placement::time::tolerance;

/// Builds tables by the strategy of an index, and remembers what lists do not say.
#[derive(Debug)]
pub(super) struct TableBuilder {
    client: Arc<Client>,
    name: String,
    strategy: Strategy,
    expired: Expired,
    margin: Duration,
    /// The oldest index, if its creation date does not show since when it has received documents, and that time.
    since: Mutex<Option<(Arc<str>, Option<i64>)>>,
    seen: Seen,
}

impl TableBuilder {
    /// Creates the builder for the alias or data stream of `settings`.
    pub(super) fn new(settings: &Elasticsearch, client: Arc<Client>) -> Self {
        Self {
            client,
            name: settings.index_name.clone(),
            strategy: settings.strategy,
            expired: settings.placement.expired,
            margin: settings.placement.margin,
            since: Mutex::default(),
            seen: Seen::default(),
        }
    }

    /// Returns the table of the indices `found`, which were listed at `read_at`. `calendar` is that of the strategy
    /// `time`.
    ///
    /// # Errors
    /// [`ReadError`], if the indices cannot become a table, or the documents of the oldest one cannot be queried.
    pub(super) async fn build(
        &self,
        calendar: &Calendar,
        found: Vec<FoundIndex>,
        read_at: i64,
    ) -> Result<Table, ReadError> {
        let name = &self.name;
        match self.strategy {
            Strategy::DataStream => return Ok(self.seen.table_of(found, read_at, self.margin)?),
            Strategy::Time => return Ok(Table::dated(calendar, found, read_at)),
            Strategy::Rollover | Strategy::Single => {}
        }
        if self.expired == Expired::Oldest {
            return Ok(Table::new(name, found, None, read_at, self.margin)?);
        }
        let table = Table::new(name, found.clone(), None, read_at, self.margin)?;
        let Some(oldest) = table.unknown_oldest() else { return Ok(table) };
        let since = self.since(&oldest.name).await?;
        Ok(Table::new(name, found, since, read_at, self.margin)?)
    }

    /// Returns a placement time from which no document can belong to the index before `oldest`, according to the
    /// documents in `oldest`. That index receives no documents, so one query is enough.
    async fn since(&self, oldest: &Arc<str>) -> Result<Option<i64>, ReadError> {
        let mut known = self.since.lock().await;
        if let Some((name, since)) = &*known
            && name == oldest
        {
            return Ok(*since);
        }
        let first = match list::first_ingested(&self.client, oldest).await {
            // The failure is transient, or a part of the index cannot be searched now. The next list tries again.
            Err(ReadError::Refused { status: 408 | 429 | 500.., .. }) => return Ok(None),
            Err(ReadError::Refused { status: 400..=499, body }) => {
                tracing::warn!(
                    index = &**oldest,
                    reason = body,
                    "Cannot read the date of the first document in the oldest backing index; deleted documents that \
                     are older may come back."
                );
                None
            }
            first => first?,
        };
        let since = first.map(|first| first.saturating_add(tolerance(self.margin)));
        *known = Some((Arc::clone(oldest), since));
        Ok(since)
    }
}
