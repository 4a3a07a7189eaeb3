//! Checks Elasticsearch's version, health, free room and clocks, and the index of each topic.

use std::sync::Arc;

use serde_json::Value;

use super::cluster;
use super::finding::Finding;
use super::privileges;
use crate::commands::times;
use crate::config::{Config, Lifecycle};
use crate::elasticsearch::Client;
use crate::elasticsearch::server::{self, Server};
use crate::index::Requests;

/// Checks the Elasticsearch of `config`.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    const SUBJECT: &str = "elasticsearch";
    let client = match Client::new(&config.elasticsearch) {
        Ok(client) => Arc::new(client),
        Err(error) => return vec![Finding::fail(SUBJECT, error.to_string(), "check the section elasticsearch")],
    };
    let server = match server::identify(&client, &config.elasticsearch.index_name, None).await {
        Ok(server) => server,
        Err(error) => {
            let todo = "check elasticsearch.url, auth and ca_file, and that it is up and reachable from here";
            return vec![Finding::fail(SUBJECT, error.to_string(), todo)];
        }
    };
    let mut findings = vec![Finding::ok(SUBJECT, server.to_string())];
    let requests = Requests::new(Arc::clone(&client));
    findings.extend(of_cluster(&requests).await);
    findings.push(clocks(&requests, config).await);
    for of_set in config.of_topics().iter().flat_map(Config::of_index_sets) {
        findings.extend(of_index(&of_set, &client, &requests, server).await);
    }
    findings
}

async fn of_cluster(requests: &Requests) -> Vec<Finding> {
    let mut findings = Vec::new();
    match ask(requests, "/_cluster/health").await {
        Ok(health) => {
            findings.push(cluster::health(&health));
            let settings = "/_cluster/settings?include_defaults=true&flat_settings=true";
            match ask(requests, settings).await {
                Ok(settings) => {
                    findings.push(cluster::shards(&health, &settings));
                    findings.extend(cluster::blocks(&settings));
                    if let Ok(allocation) = ask(requests, "/_cat/allocation?format=json&bytes=b").await {
                        findings.extend(cluster::disks(&allocation, &settings));
                    }
                }
                Err(found) => findings.push(unasked("elasticsearch: settings", found)),
            }
        }
        Err(found) => findings.push(unasked("elasticsearch: health", found)),
    }
    findings
}

/// Compares the clocks of the nodes with this machine's, because placement relies on them.
async fn clocks(requests: &Requests, config: &Config) -> Finding {
    const SUBJECT: &str = "elasticsearch: clocks";
    let before = times::now();
    let answer = ask(requests, "/_nodes/stats/os?filter_path=nodes.*.timestamp,nodes.*.name").await;
    let margin = i64::try_from(config.elasticsearch.placement.margin.as_millis()).unwrap_or(i64::MAX);
    match answer {
        Ok(nodes) => cluster::clocks(SUBJECT, &nodes, before, times::now(), margin),
        Err(found) => unasked(SUBJECT, found),
    }
}

async fn of_index(config: &Config, client: &Arc<Client>, requests: &Requests, server: Server) -> Vec<Finding> {
    let name = &config.elasticsearch.index_name;
    let mut findings = Vec::new();
    let query = "flat_settings=true&ignore_unavailable=true&expand_wildcards=all";
    match ask(requests, &format!("/{name}/_settings?{query}")).await {
        Ok(indices) => findings.extend(cluster::indices(name, &indices)),
        Err(found) => findings.push(unasked(&format!("elasticsearch: index {name}"), found)),
    }
    findings.push(template(config, client).await);
    findings.extend(lifecycle(config, requests).await);
    if !server.is_opensearch() {
        findings.extend(privileges::check(config, client).await);
    }
    findings
}

/// Checks whether index lifecycle management runs, and whether one of its steps has failed. Returns `None` if it does
/// not apply to the indices of `config`.
async fn lifecycle(config: &Config, requests: &Requests) -> Option<Finding> {
    if config.lifecycle() != Lifecycle::Ilm {
        return None;
    }
    let name = &config.elasticsearch.index_name;
    // This right is one of the cluster, which the role may lack.
    let status = ask(requests, "/_ilm/status").await.unwrap_or_default();
    Some(match ask(requests, &format!("/{name}/_ilm/explain?only_errors=true")).await {
        Ok(errors) => cluster::lifecycle(name, &status, &errors),
        Err(found) => unasked(&format!("elasticsearch: lifecycle of {name}"), found),
    })
}

/// Checks whether another template wins the names of the indices.
async fn template(config: &Config, client: &Arc<Client>) -> Finding {
    let subject = format!("elasticsearch: template of {}", config.elasticsearch.index_name);
    let index = match crate::commands::index_of(config, Requests::dry_run(Arc::clone(client))) {
        Ok(index) => index,
        Err(error) => return Finding::fail(subject, error.to_string(), "check ilm_config_path"),
    };
    judge_template(subject, index.shadow.shadowed_by().await.map_err(|error| error.to_string()))
}

fn judge_template(subject: String, winner: Result<Option<String>, String>) -> Finding {
    match winner {
        Ok(None) => Finding::ok(subject, "ours wins, or is created at start"),
        Ok(Some(other)) => {
            let todo = "give that template other index_patterns or a lower priority, then roll over";
            Finding::fail(
                subject,
                format!("the template {other} takes precedence: the next index gets its mapping and lifecycle"),
                todo,
            )
        }
        Err(found) => unasked(&subject, found),
    }
}

fn unasked(subject: &str, found: String) -> Finding {
    Finding::warn(subject, found, "give the role the privilege monitor, or check it by hand")
}

async fn ask(requests: &Requests, path: &str) -> Result<Value, String> {
    requests.look(path).await.map_err(|error| error.to_string())
}
