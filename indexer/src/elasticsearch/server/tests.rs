use std::sync::{Arc, Mutex};

use super::*;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Reply, Stub, failure};

/// Returns the body of `GET /`, reduced to the parts that are read.
fn main(number: &str, more: &str) -> String {
    format!(r#"{{"name":"n","version":{{"number":"{number}"{more}}},"tagline":"You Know, for Search"}}"#)
}

const OPENSEARCH: &str = r#","distribution":"opensearch""#;
const ELASTICSEARCH: &str = r#","build_flavor":"default""#;

const PAGE: &str = "<html>no such backend</html>";

async fn identified(reply: impl Fn(&str) -> Reply + Send + 'static) -> Result<Server, ServerError> {
    let stub = Stub::start(move |received| reply(&received.line)).await;
    let client = Client::new(&config(&stub.url()).elasticsearch).unwrap();
    identify(&client, "cxone-events", None).await
}

async fn of_main(body: String) -> Result<Server, ServerError> {
    identified(move |_| Reply::Answer(200, body.clone())).await
}

#[tokio::test]
async fn supported_versions_are_accepted_and_named() {
    for (body, name) in [
        (main("8.7.0", ELASTICSEARCH), "Elasticsearch 8.7.0"),
        (main("8.19.21", ELASTICSEARCH), "Elasticsearch 8.19.21"),
        (main("9.5.3-SNAPSHOT", ELASTICSEARCH), "Elasticsearch 9.5.3"),
        (main("8.11.0", r#","build_flavor":"serverless""#), "Elasticsearch of unknown version"),
        (main("2.19.4", OPENSEARCH), "OpenSearch 2.19.4"),
        (main("3.3.0", OPENSEARCH), "OpenSearch 3.3.0"),
        // This one is set with compatibility.override_main_response_version.
        (main("7.10.2", OPENSEARCH), "OpenSearch of unknown version"),
    ] {
        assert_eq!(of_main(body).await.unwrap().to_string(), name);
    }
}

#[tokio::test]
async fn older_versions_are_refused_with_the_required_one() {
    for (body, found, least) in [
        (main("8.6.2", ELASTICSEARCH), "Elasticsearch 8.6.2", "Elasticsearch 8.7.0"),
        (main("7.17.29", ELASTICSEARCH), "Elasticsearch 7.17.29", "Elasticsearch 8.7.0"),
        (main("7.10.2", ""), "Elasticsearch 7.10.2", "Elasticsearch 8.7.0"),
        (main("1.3.20", OPENSEARCH), "OpenSearch 1.3.20", "OpenSearch 2.19.0"),
    ] {
        let error = of_main(body).await.unwrap_err().to_string();
        assert!(error.contains(found) && error.contains(least) && error.contains("too old"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_hides_its_version_is_identified_by_a_refusal() {
    for status in [400, 403, 404, 405] {
        let elasticsearch = identified(move |line| match line {
            _ if line.starts_with("GET / ") => failure(status, "security_exception"),
            _ => Reply::Answer(404, r#"{"error":{"type":"index_not_found_exception"},"status":404}"#.to_owned()),
        });
        assert_eq!(elasticsearch.await.unwrap(), Server::unknown(Product::Elasticsearch), "{status}");
        let opensearch = identified(move |line| match line {
            _ if line.starts_with("GET / ") => failure(status, "security_exception"),
            _ => failure(400, "illegal_argument_exception"),
        });
        assert_eq!(opensearch.await.unwrap(), Server::unknown(Product::OpenSearch), "{status}");
    }
}

#[tokio::test]
async fn a_transient_failure_decides_nothing() {
    for status in [401, 429, 500, 503] {
        let error = identified(move |_| failure(status, "x")).await.unwrap_err();
        assert!(matches!(error, ServerError::Refused { status: found, .. } if found == status), "{error}");
    }
    let error = identified(|_| Reply::Break).await.unwrap_err();
    assert!(matches!(error, ServerError::Send(_)), "{error}");
}

/// A page from a proxy does not identify the server. A wrong guess would last until the next start.
#[tokio::test]
async fn a_page_from_a_proxy_decides_nothing() {
    for (main, probe) in [((200, PAGE), (200, PAGE)), ((404, PAGE), (404, PAGE)), ((302, ""), (403, PAGE))] {
        let error = identified(move |line| {
            let (status, body) = if line.starts_with("GET / ") { main } else { probe };
            Reply::Answer(status, body.to_owned())
        })
        .await
        .unwrap_err();
        assert!(matches!(error, ServerError::Refused { status, .. } if status == probe.0), "{error}");
    }
}

#[tokio::test]
async fn a_known_server_stays_known_while_it_is_hidden() {
    let is_hidden = Arc::new(Mutex::new(false));
    let hidden = Arc::clone(&is_hidden);
    let stub = Stub::start(move |received| match (*hidden.lock().unwrap(), received.line.starts_with("GET / ")) {
        (false, _) => Reply::Answer(200, main("3.3.0", OPENSEARCH)),
        (true, true) => Reply::Answer(404, PAGE.to_owned()),
        (true, false) => failure(400, "illegal_argument_exception"),
    })
    .await;
    let client = Client::new(&config(&stub.url()).elasticsearch).unwrap();
    let known = identify(&client, "x", None).await.unwrap();
    *is_hidden.lock().unwrap() = true;
    assert_eq!(identify(&client, "x", None).await.unwrap(), known);
    assert_eq!(client.server(), Some(known));
}

#[tokio::test]
async fn an_upgraded_cluster_is_accepted_with_its_new_version() {
    let number = Arc::new(Mutex::new("8.6.2"));
    let said = Arc::clone(&number);
    let stub = Stub::start(move |_| Reply::Answer(200, main(&said.lock().unwrap(), ELASTICSEARCH))).await;
    let client = Client::new(&config(&stub.url()).elasticsearch).unwrap();
    assert!(identify(&client, "x", None).await.is_err());
    assert_eq!(client.server(), None);
    *number.lock().unwrap() = "8.19.21";
    let server = identify(&client, "x", None).await.unwrap();
    assert_eq!(client.server(), Some(server));
}
