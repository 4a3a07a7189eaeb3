//! Lists the indices of an index set: the one that new documents go to, and the others that may still receive some.

use std::sync::Arc;

use serde_json::Value;

use super::requests::{RequestError, Requests};
use super::resolved::Resolved;
use super::settings::IndexSettings;
use crate::config::Strategy;
use crate::placement::{Role, Series};

/// The indices of an index set, as the server lists them. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Indices {
    requests: Requests,
    settings: Arc<IndexSettings>,
}

impl Indices {
    /// Creates the list for the name and strategy of `settings`. Sends nothing.
    pub(super) fn new(requests: &Requests, settings: &Arc<IndexSettings>) -> Self {
        Self { requests: requests.clone(), settings: Arc::clone(settings) }
    }

    /// Returns the name of the index that new documents go to: the write index, or the newest index with the strategy
    /// `time`. `None` if it does not exist yet.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn current(&self) -> Result<Option<String>, RequestError> {
        Ok(match self.settings.strategy {
            Strategy::Single => Some(self.behind_name().await?),
            Strategy::DataStream => self.stream_indices().await?.pop(),
            Strategy::Rollover => self.readable().await?.into_iter().find(|(_, is_write)| *is_write).map(first),
            Strategy::Time => {
                let all = self.readable().await?.into_iter().map(first);
                all.filter(|name| self.date(name).is_some()).max_by_key(|name| self.date(name))
            }
        })
    }

    /// Returns the names of all indices that may receive documents: those with our own names, and the write index
    /// whatever its name.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn own(&self) -> Result<Vec<String>, RequestError> {
        Ok(match self.settings.strategy {
            Strategy::Single => vec![self.behind_name().await?],
            Strategy::DataStream => self.stream_indices().await?.pop().into_iter().collect(),
            Strategy::Rollover => {
                let all = self.readable().await?;
                let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
                let write = all.iter().find(|(_, is_write)| *is_write).map(|(name, _)| name.as_str());
                let series = Series::new(&self.settings.name, write, &names);
                let is_own = |name: &str| matches!(series.of(name).role, Role::Own(_));
                let own = all.iter().filter(|(name, is_write)| *is_write || is_own(name));
                own.map(|(name, _)| name.clone()).collect()
            }
            Strategy::Time => {
                self.readable().await?.into_iter().map(first).filter(|name| self.date(name).is_some()).collect()
            }
        })
    }

    /// Returns the index behind the name with the strategy `single`: for an alias of several indices, its write
    /// index. Otherwise returns the name itself, because a role may have access to the alias only.
    async fn behind_name(&self) -> Result<String, RequestError> {
        let behind = self.readable().await?;
        let write = behind.iter().find(|(_, is_write)| *is_write && behind.len() > 1);
        Ok(write.map_or_else(|| self.settings.name.clone(), |(name, _)| name.clone()))
    }

    /// Returns the backing indices of the data stream, in the stream's order.
    async fn stream_indices(&self) -> Result<Vec<String>, RequestError> {
        let path = format!("/_data_stream/{}?filter_path=data_streams.indices.index_name", self.settings.name);
        let answer = self.requests.get(&path).await?.unwrap_or_default();
        let indices = answer["data_streams"][0]["indices"].as_array().cloned().unwrap_or_default();
        Ok(indices.iter().filter_map(|index| index["index_name"].as_str().map(str::to_owned)).collect())
    }

    /// Returns the same as [`Indices::behind_alias`], but for indices whose metadata may not be read
    /// (`index.blocks.metadata`): nothing can be done about those, and the others are not to suffer from it.
    async fn readable(&self) -> Result<Vec<(String, bool)>, RequestError> {
        match self.behind_alias().await {
            Err(error) if error.is_block() => {}
            behind => return behind,
        }
        let names = self.resolved().await?;
        let mut readable = Vec::with_capacity(names.len());
        for name in &names {
            let path = format!("/{name}/_alias/{}", self.settings.name);
            let answer = match self.requests.get(&path).await {
                Err(error) if error.is_block() => continue,
                answer => answer?.unwrap_or_default(),
            };
            let is_write = answer[name]["aliases"][&self.settings.name]["is_write_index"].as_bool();
            readable.push((name.clone(), is_write.unwrap_or(names.len() == 1)));
        }
        Ok(readable)
    }

    /// Returns the names of the indices behind the alias, including those whose metadata may not be read.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn resolved(&self) -> Result<Vec<String>, RequestError> {
        let answer = self.requests.look(&format!("/_resolve/index/{}", self.settings.name)).await?;
        let resolved: Resolved = serde_json::from_value(answer).unwrap_or_default();
        Ok(resolved.behind(&self.settings.name).unwrap_or_default())
    }

    /// Returns the indices behind the alias, and whether each is its write index.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn behind_alias(&self) -> Result<Vec<(String, bool)>, RequestError> {
        let answer = self.requests.get(&format!("/_alias/{}", self.settings.name)).await?.unwrap_or_default();
        let Value::Object(indices) = answer else { return Ok(Vec::new()) };
        let alone = indices.len() == 1;
        // An alias of one index writes to it, unless `is_write_index` is false (Elasticsearch reference, "Aliases").
        let is_write =
            |index: &Value| index["aliases"][&self.settings.name]["is_write_index"].as_bool().unwrap_or(alone);
        Ok(indices.iter().map(|(name, index)| (name.clone(), is_write(index))).collect())
    }

    /// Returns the date in `name`, if the strategy `time` makes such names.
    fn date(&self, name: &str) -> Option<i64> {
        self.settings.dated.as_ref()?.time(name)
    }
}

fn first((name, _): (String, bool)) -> String {
    name
}

#[cfg(test)]
mod tests;
