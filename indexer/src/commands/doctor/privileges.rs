//! Checks the role's privileges one by one (Elasticsearch reference, "Has privileges").

use bytes::Bytes;
use serde_json::{Value, json};

use super::finding::Finding;
use crate::config::{Config, Lifecycle, Strategy};
use crate::elasticsearch::{Client, Method, Request};

/// A privilege, and what does not work without it.
type Needed = (&'static str, &'static str);

/// Reports the privileges that the role lacks for the index of `config`. Without security, nothing is checked.
pub(super) async fn check(config: &Config, client: &Client) -> Vec<Finding> {
    let (cluster, index) = needed(config);
    let name = &config.elasticsearch.index_name;
    let subject = format!("elasticsearch: privileges for {name}");
    let names = |needed: &[Needed]| needed.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let pattern = match config.elasticsearch.strategy {
        Strategy::Rollover | Strategy::Time => format!("{name}-000001"),
        Strategy::DataStream | Strategy::Single => name.clone(),
    };
    let body = json!({
        "cluster": names(&cluster),
        "index": [{"names": [name, pattern], "privileges": names(&index)}],
    });
    let request = Request {
        method: Method::Post,
        path: "/_security/user/_has_privileges",
        query: &[],
        content_type: "application/json",
        body: Bytes::from(body.to_string()),
    };
    match client.send(&request).await {
        Err(error) => vec![Finding::warn(subject, error.to_string(), "check elasticsearch.url")],
        Ok(answer) if answer.status == 200 => {
            judge(&subject, &serde_json::from_slice(&answer.body).unwrap_or_default(), &cluster, &index)
        }
        Ok(answer) if answer.status == 401 => {
            let todo = "renew the credentials of elasticsearch.auth";
            vec![Finding::fail(subject, "the credentials are refused (401)", todo)]
        }
        // The endpoint does not exist.
        Ok(answer) => vec![Finding::ok(subject, format!("security is off (answered {})", answer.status))],
    }
}

/// Returns the privileges that the role needs with this config.
fn needed(config: &Config) -> (Vec<Needed>, Vec<Needed>) {
    let mut cluster = vec![
        ("monitor", "the version is unknown"),
        ("manage_index_templates", "templates are not created, and new fields are not added to them"),
    ];
    if config.lifecycle() == Lifecycle::Ilm {
        cluster.push(("manage_ilm", "the lifecycle policy is not created"));
    }
    let index = vec![
        ("create_index", "the first index is not created"),
        ("create_doc", "no document is written"),
        ("index", "no document is written"),
        ("read", "duplicates are not proven, and the topic is blocked"),
        ("view_index_metadata", "the backing indices are unknown"),
        ("manage", "new fields are not added to the mapping"),
    ];
    (cluster, index)
}

fn judge(subject: &str, answer: &Value, cluster: &[Needed], index: &[Needed]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut missing = |privilege: &str, of: &str, without: &str| {
        let todo = format!("give the role the {of} privilege {privilege}: {without} without it");
        findings.push(Finding::fail(subject, format!("the {of} privilege {privilege} is missing"), todo));
    };
    for (privilege, without) in cluster {
        if answer["cluster"][privilege] == false {
            missing(privilege, "cluster", without);
        }
    }
    for (privilege, without) in index {
        let of_indices = answer["index"].as_object().into_iter().flatten();
        if of_indices.into_iter().any(|(_, privileges)| privileges[privilege] == false) {
            missing(privilege, "index", without);
        }
    }
    if findings.is_empty() {
        let all: Vec<&str> = cluster.iter().chain(index).map(|(name, _)| *name).collect();
        findings.push(Finding::ok(subject, all.join(", ")));
    }
    findings
}

#[cfg(test)]
mod tests;
