//! Checks a lifecycle policy beyond its types. Each problem names its key.

use super::LifecyclePolicy;
use super::units;

type Problems = Vec<(&'static str, String)>;

/// Returns all problems of `policy`.
pub(super) fn check(policy: &LifecyclePolicy, rolls_over: bool) -> Problems {
    let mut problems = Vec::new();
    name(&policy.policy_name, &mut problems);
    rollover(policy, rolls_over, &mut problems);
    phases(policy, &mut problems);
    if let Some(warm) = &policy.warm {
        let counts =
            [("warm.forcemerge_segments", warm.forcemerge_segments), ("warm.shrink_shards", warm.shrink_shards)];
        for (key, _) in counts.into_iter().filter(|(_, count)| *count == Some(0)) {
            problems.push((key, "must be at least 1".to_owned()));
        }
    }
    problems
}

/// Checks Elasticsearch's rules for policy names (`LifecyclePolicy.validatePolicyName`).
fn name(name: &str, problems: &mut Problems) {
    let wrong =
        name.is_empty() || name.len() > 255 || name.starts_with('_') || name.contains([',', ' ', '/', '?', '#']);
    if wrong {
        let rule = "must be 1 to 255 bytes without commas, spaces, slashes, ? and #, and not begin with _";
        problems.push(("policy_name", rule.to_owned()));
    }
}

fn rollover(policy: &LifecyclePolicy, rolls_over: bool, problems: &mut Problems) {
    let hot = &policy.hot;
    let conditions = hot.conditions();
    if !rolls_over {
        let rule =
            "indices of elasticsearch.strategy time are never rolled over: the date in the name ends them; omit it";
        problems.extend(conditions.into_iter().map(|key| (key, rule.to_owned())));
        return;
    }
    if conditions.is_empty() {
        let rule = "needs a condition of the rollover, such as rollover_max_age: 1d; without one nothing rolls over";
        problems.push(("hot", rule.to_owned()));
    }
    positive("hot.rollover_max_age", hot.rollover_max_age.as_deref(), units::age, problems);
    positive("hot.rollover_max_size", hot.rollover_max_size.as_deref(), units::size, problems);
    let shard = hot.rollover_max_primary_shard_size.as_deref();
    positive("hot.rollover_max_primary_shard_size", shard, units::size, problems);
    if hot.rollover_max_docs == Some(0) {
        problems.push(("hot.rollover_max_docs", "must be at least 1".to_owned()));
    }
}

fn positive(key: &'static str, text: Option<&str>, parse: fn(&str) -> Result<u128, String>, problems: &mut Problems) {
    match text.map(parse) {
        Some(Ok(0)) => problems.push((key, "must be more than 0".to_owned())),
        Some(Err(message)) => problems.push((key, message)),
        Some(Ok(_)) | None => {}
    }
}

/// Checks that no phase begins earlier than the one before it. Elasticsearch would enter the later phase and never
/// the earlier one.
fn phases(policy: &LifecyclePolicy, problems: &mut Problems) {
    let phases = [
        ("warm.min_age", policy.warm.as_ref().map(|warm| &warm.min_age)),
        ("cold.min_age", policy.cold.as_ref().map(|cold| &cold.min_age)),
        ("delete.min_age", policy.delete.as_ref().map(|delete| &delete.min_age)),
    ];
    let mut before: Option<(&str, &str, u128)> = None;
    for (key, text) in phases {
        let Some(text) = text else { continue };
        let age = match units::age(text) {
            Ok(age) => age,
            Err(message) => {
                problems.push((key, message));
                continue;
            }
        };
        if let Some((earlier, earlier_text, earlier_age)) = before
            && age < earlier_age
        {
            let rule = format!("is {text}, before {earlier}, which is {earlier_text}: phases follow one another");
            problems.push((key, rule));
        }
        before = Some((key, text, age));
    }
    if let Some(delete) = &policy.delete
        && units::age(&delete.min_age) == Ok(0)
    {
        problems.push(("delete.min_age", "must be more than 0: the index would be deleted immediately".to_owned()));
    }
}
