//! Repairs backing indices that `OpenSearch` created again for documents on their way to a deleted one. In
//! Elasticsearch an index template forbids this (`allow_auto_create`), but not in `OpenSearch`. The alias does not
//! lead to the new index, so the index gets its alias back and its documents are found. The cluster setting
//! `action.auto_create_index` can prevent this; if it does not, that is logged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::logged::Logged;
use super::requests::{RequestError, Requests};
use super::settings::IndexSettings;
use crate::config::Strategy;
use crate::placement::Table;

/// How many creation dates of backing indices are remembered.
const MAX_CREATED: usize = 10_000;

/// Finds and repairs the backing indices that documents created again.
#[derive(Debug)]
pub(crate) struct Strays {
    requests: Requests,
    settings: Arc<IndexSettings>,
    /// The creation dates of the backing indices, in milliseconds since the Unix epoch, if documents may re-create
    /// them.
    created: Mutex<HashMap<String, i64>>,
    logged: Logged,
}

impl Strays {
    /// Creates the repair for the index set of `settings`. Sends nothing.
    pub(super) fn new(requests: &Requests, settings: &Arc<IndexSettings>) -> Self {
        let (requests, settings) = (requests.clone(), Arc::clone(settings));
        Self { requests, settings, created: Mutex::default(), logged: Logged::default() }
    }

    /// Returns whether documents may re-create a deleted backing index.
    fn may_have_strays(&self) -> bool {
        self.settings.strategy == Strategy::Rollover && self.requests.client().is_opensearch()
    }

    /// Remembers the backing indices of `table`, and gives re-created ones their alias back.
    ///
    /// # Errors
    /// [`RequestError`], if the server does not answer or refuses.
    pub(crate) async fn rejoin(&self, table: &Table) -> Result<(), RequestError> {
        if !self.may_have_strays() {
            return Ok(());
        }
        self.remember(table);
        for (name, created) in self.without_alias().await? {
            let number = generation(&name, &self.settings.name);
            let is_late =
                |other: &crate::placement::Backing| Some(other.generation) > number && other.created < created;
            if self.was_made_again(&name, created) || table.backing().iter().any(is_late) {
                self.give_alias(&name, false).await?;
            }
        }
        Ok(())
    }

    /// Gives the first backing index its alias back, if it was re-created after all had been deleted. Returns whether
    /// it did.
    pub(super) async fn rejoin_first(&self) -> Result<bool, RequestError> {
        if !self.may_have_strays() || self.requests.is_dry_run() {
            return Ok(false);
        }
        let first = format!("{}-000001", self.settings.name);
        let found = self.without_alias().await?;
        let Some((name, _)) =
            found.iter().find(|(name, created)| *name == first && self.was_made_again(name, *created))
        else {
            return Ok(false);
        };
        self.give_alias(name, true).await?;
        Ok(true)
    }

    /// Logs, once, that the cluster lets documents re-create a deleted backing index.
    pub(super) async fn check_auto_create(&self) -> Result<(), RequestError> {
        if !self.may_have_strays() {
            return Ok(());
        }
        let path = "/_cluster/settings?include_defaults=true&filter_path=*.action.auto_create_index";
        let settings = match self.requests.get(path).await {
            // The check only serves a hint in the log. A hosted service may lack the endpoint or refuse it in its own
            // words.
            Err(RequestError::Refused { .. }) => return Ok(()),
            settings => settings?.unwrap_or_default(),
        };
        let of = |level: &&str| settings[*level]["action"]["auto_create_index"].as_str();
        let value = ["transient", "persistent", "defaults"].iter().find_map(of).unwrap_or("true");
        let backing = format!("{}-000001", self.settings.name);
        if allows(value, &backing) && self.logged.is_new(format!("auto_create_index {value}")) {
            tracing::warn!(
                index = self.settings.name,
                setting = value,
                "OpenSearch re-creates a deleted backing index for documents on their way to it; it gets its alias \
                 back a moment later. To prevent this, set the cluster's action.auto_create_index to \"-{}-0*,+*\".",
                self.settings.name
            );
        }
        Ok(())
    }

    /// Refuses to create a first backing index while others of the name exist without their alias: somebody has
    /// removed it, and a document that they hold would be written a second time. Does not count those that OpenSearch
    /// re-created for documents after they had been deleted.
    pub(super) async fn check_bereft(&self) -> Result<(), RequestError> {
        if self.settings.strategy != Strategy::Rollover {
            return Ok(());
        }
        let found = match self.without_alias().await {
            Err(error) if error.is_denied() => return Ok(()),
            found => found?,
        };
        let first = format!("{}-000001", self.settings.name);
        let is_left = |(name, created): &(String, i64)| *name != first && !self.was_made_again(name, *created);
        let mut names: Vec<String> = found.into_iter().filter(is_left).map(|(name, _)| name).collect();
        names.sort();
        let Some(newest) = names.last() else { return Ok(()) };
        Err(RequestError::Occupied(format!(
            "the alias {} is gone, and {} of its backing indices are still there: add it to them again, with \
             is_write_index to the newest ({newest}), or delete them",
            self.settings.name,
            names.len(),
        )))
    }

    fn remember(&self, table: &Table) {
        let mut known = self.created();
        if known.len() > MAX_CREATED {
            *known = HashMap::new();
        }
        for backing in table.backing() {
            known.insert(backing.name.to_string(), backing.created);
        }
    }

    /// Returns whether the index was known with an earlier creation date.
    fn was_made_again(&self, name: &str, created: i64) -> bool {
        self.created().get(name).is_some_and(|known| *known < created)
    }

    /// Returns the indices with names of backing indices that the alias does not lead to, with their creation dates.
    async fn without_alias(&self) -> Result<Vec<(String, i64)>, RequestError> {
        let path = format!("/{}-*?filter_path=*.aliases,*.settings.index.creation_date", self.settings.name);
        let Some(Value::Object(indices)) = self.requests.get(&path).await? else { return Ok(Vec::new()) };
        let is_stray = |(name, index): &(String, Value)| {
            generation(name, &self.settings.name).is_some() && index["aliases"][&self.settings.name].is_null()
        };
        let created = |index: &Value| index["settings"]["index"]["creation_date"].as_str()?.parse().ok();
        let strays = indices.into_iter().filter(is_stray);
        Ok(strays.filter_map(|(name, index)| Some((name, created(&index)?))).collect())
    }

    async fn give_alias(&self, index: &str, is_write_index: bool) -> Result<(), RequestError> {
        let add = json!({ "index": index, "alias": self.settings.name, "is_write_index": is_write_index });
        self.requests.post("/_aliases", &json!({ "actions": [{ "add": add }] })).await?;
        tracing::warn!(
            index,
            alias = self.settings.name,
            "Documents re-created a deleted backing index; it has its alias again."
        );
        Ok(())
    }

    fn created(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the number of the backing index `name` of `alias`, or `None` for any other name.
fn generation(name: &str, alias: &str) -> Option<u64> {
    let number = name.strip_prefix(alias)?.strip_prefix('-')?;
    (number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| number.parse().ok()).flatten()
}

/// Returns whether `action.auto_create_index` with this `value` lets a document create the index `name`. The value is
/// true, false, or a list of patterns. The first matching pattern decides; without a match the answer is no.
fn allows(value: &str, name: &str) -> bool {
    if let Ok(all) = value.parse() {
        return all;
    }
    let patterns = value.split(',').map(str::trim);
    let decides = patterns.filter_map(|pattern| match pattern.strip_prefix('-') {
        Some(pattern) => matches(pattern, name).then_some(false),
        None => matches(pattern.trim_start_matches('+'), name).then_some(true),
    });
    decides.into_iter().next().unwrap_or(false)
}

/// Returns whether `name` matches `pattern`, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
}

#[cfg(test)]
mod tests;
