//! How long the lifecycle keeps an index of the strategy `time` after the date in its name.

use std::sync::Arc;

use super::Index;
use crate::config::{Lifecycle, Strategy, age};
use crate::placement::Retention;
use crate::placement::time::millis;

impl Index {
    /// Returns how long an index is kept. It is unlimited until [`Index::read_retention`].
    pub fn retention(&self) -> Arc<Retention> {
        Arc::clone(&self.retention)
    }

    /// Reads how long an index is kept: `delete.min_age` of the policy as it is in the cluster; where it cannot be
    /// read, that of the file.
    pub async fn read_retention(&self) {
        let settings = self.settings_here();
        let Some(policy) = settings.policy.as_ref().filter(|_| settings.lifecycle == Lifecycle::Ilm) else { return };
        if settings.strategy != Strategy::Time {
            return;
        }
        let name = &policy.policy_name;
        let min_age = match self.requests.get(&format!("/_ilm/policy/{name}")).await {
            Ok(Some(live)) => {
                let delete = &live[name]["policy"]["phases"]["delete"];
                // A phase without a minimum age begins at once.
                (!delete.is_null()).then(|| delete["min_age"].as_str().unwrap_or("0ms").to_owned())
            }
            Ok(None) | Err(_) => policy.delete.as_ref().map(|delete| delete.min_age.clone()),
        };
        let kept = min_age.as_deref().and_then(age).map(millis);
        if self.retention.get() != kept {
            let keeps = min_age.as_deref().unwrap_or("everything");
            tracing::info!(
                index = self.name(),
                policy = name,
                keeps,
                "Read the maximum age of an event from the policy."
            );
        }
        self.retention.set(kept);
    }
}
