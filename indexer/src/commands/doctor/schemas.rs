//! Checks that the schema registry answers and has the subject of the mapping.

use registry::{RawClient, RegistryError, SchemaRegistry};

use super::finding::Finding;
use crate::config::Config;

/// Checks the registry of `config`.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    const ADVICE: &str = "check schema_registry.url, auth and ca_file, and that it is up and reachable from here";
    let direct = match RawClient::new(&config.schema_registry) {
        Ok(direct) => direct,
        Err(error) => return vec![Finding::fail("registry", error.to_string(), "check schema_registry")],
    };
    let answer = direct.get("/subjects").await;
    let status = match answer {
        Err(error) => return vec![Finding::fail("registry", error, ADVICE)],
        Ok(status) => status,
    };
    let mut findings = Vec::new();
    findings.push(match status {
        200..=299 => Finding::ok("registry", format!("{} answers", direct.urls())),
        // A role may be allowed to read schemas but not to list subjects.
        403 => Finding::ok("registry", format!("{} answers; subjects may not be listed", direct.urls())),
        status => Finding::fail("registry", format!("GET /subjects was answered {status}"), ADVICE),
    });
    let mut subjects: Vec<String> =
        config.of_topics().into_iter().filter_map(|config| config.elasticsearch.mapping.subject).collect();
    subjects.dedup();
    match SchemaRegistry::new(&config.schema_registry) {
        Ok(registry) => {
            for subject in subjects {
                let latest = registry.latest(&subject).await.map(|latest| latest.id.0);
                findings.push(judge(&subject, latest));
            }
        }
        Err(error) => findings.push(Finding::fail("registry", error.to_string(), "check schema_registry")),
    }
    findings
}

fn judge(subject: &str, latest: Result<u32, RegistryError>) -> Finding {
    let name = format!("registry: subject {subject}");
    match latest {
        Ok(id) => Finding::ok(name, format!("its latest schema is {id}, and usable")),
        Err(error) => {
            let todo = "register a schema under it, or correct elasticsearch.mapping.subject";
            Finding::fail(name, error.to_string(), todo)
        }
    }
}
