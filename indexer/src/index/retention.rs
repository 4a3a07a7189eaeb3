//! Determines how long the lifecycle keeps an index of the strategy `time` after the date in its name.

use std::sync::Arc;

use serde_json::Value;

use super::policy::Policy;
use super::requests::{RequestError, Requests};
use super::shadow::ShadowCheck;
use crate::config::{Lifecycle, Strategy, age};
use crate::placement::Retention;
use crate::placement::time::millis;

/// Reads the retention from the policy.
#[derive(Debug)]
pub(crate) struct RetentionReader {
    requests: Requests,
    policy: Arc<Policy>,
    shadow: Arc<ShadowCheck>,
    retention: Arc<Retention>,
}

impl RetentionReader {
    /// Creates the reader for the settings that `policy` knows. Sends nothing.
    pub(super) fn new(requests: &Requests, policy: &Arc<Policy>, shadow: &Arc<ShadowCheck>) -> Self {
        let (policy, shadow) = (Arc::clone(policy), Arc::clone(shadow));
        Self { requests: requests.clone(), policy, shadow, retention: Arc::default() }
    }

    /// Returns how long an index is kept. Unlimited until [`RetentionReader::read`].
    pub(crate) fn value(&self) -> Arc<Retention> {
        Arc::clone(&self.retention)
    }

    /// Reads how long an index is kept: `delete.min_age` of the policy in the cluster, or of the file if that policy
    /// is missing or the role may not read it.
    ///
    /// # Errors
    /// [`RequestError`], if the policy cannot be read for now; the previous value stays in force. The file may have a
    /// shorter time than the cluster, and documents must not expire because a request failed.
    pub(crate) async fn read(&self) -> Result<(), RequestError> {
        let settings = self.policy.settings_here();
        let Some(policy) = settings.policy.as_ref().filter(|_| settings.lifecycle == Lifecycle::Ilm) else {
            return Ok(());
        };
        if settings.strategy != Strategy::Time {
            return Ok(());
        }
        let Some(name) = self.aging_policy(&settings.name, &policy.policy_name).await? else {
            self.retention.set(None);
            return Ok(());
        };
        let min_age = match self.requests.get(&format!("/_ilm/policy/{name}")).await {
            Ok(Some(live)) if live[&name]["policy"].is_object() => {
                let delete = &live[&name]["policy"]["phases"]["delete"];
                // A phase without a minimum age begins immediately.
                (!delete.is_null()).then(|| delete["min_age"].as_str().unwrap_or("0ms").to_owned())
            }
            Err(error) if !error.is_denied() => return Err(error),
            Ok(_) | Err(_) => policy.delete.as_ref().map(|delete| delete.min_age.clone()),
        };
        let kept = min_age.as_deref().and_then(age).map(millis);
        if self.retention.get() != kept {
            let keeps = min_age.as_deref().unwrap_or("everything");
            tracing::info!(
                index = settings.name,
                policy = name,
                keeps,
                "Read the maximum age of an event from the policy."
            );
        }
        self.retention.set(kept);
        Ok(())
    }

    /// Returns the policy by which the next index of `index` ages from the date in its name. The operator's component
    /// template may set another policy than `ours`. `None` if it ages from its creation or not at all.
    async fn aging_policy(&self, index: &str, ours: &str) -> Result<Option<String>, RequestError> {
        let path = format!(
            "/_index_template/_simulate_index/{index}-2000.01.01?filter_path=template.settings.index.lifecycle",
        );
        let simulated = match self.requests.ask(&path, &Value::Null).await {
            Err(error) if error.is_denied() || error.is_no_endpoint() => return Ok(Some(ours.to_owned())),
            simulated => simulated?,
        };
        let lifecycle = &simulated["template"]["settings"]["index"]["lifecycle"];
        Ok(match lifecycle["name"].as_str() {
            Some(name) => (lifecycle["parse_origination_date"] == "true").then(|| name.to_owned()),
            // If no template applies, the index is created elsewhere with a known policy.
            None => (!self.shadow.is_shadowed()).then(|| ours.to_owned()),
        })
    }
}
