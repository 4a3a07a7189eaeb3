//! The order in which addresses are asked.

use schema_registry_converter::async_impl::schema_registry::get_all_versions;

use super::*;

const FIRST: &str = "http://127.0.0.1:1";
const SECOND: &str = "http://127.0.0.1:2";

fn two() -> Nodes {
    let url = format!("{FIRST}, {SECOND}/");
    Nodes::new(&config::SchemaRegistry { url, ..config::SchemaRegistry::default() }).unwrap()
}

fn order(nodes: &Nodes, now: Instant) -> Vec<&str> {
    nodes.in_order(now).into_iter().map(|(_, node)| node.address.url.as_str()).collect()
}

#[tokio::test]
async fn addresses_are_asked_in_the_order_of_the_config() {
    assert_eq!(order(&two(), Instant::now()), [FIRST, SECOND]);
}

#[tokio::test]
async fn an_address_that_did_not_answer_is_asked_last_for_a_while() {
    let nodes = two();
    let now = Instant::now();
    nodes.nodes[0].did_not_answer("refused", true);
    assert_eq!(order(&nodes, now), [SECOND, FIRST]);
    assert_eq!(order(&nodes, now + AVOID + AVOID), [FIRST, SECOND]);
    nodes.nodes[0].answered();
    assert_eq!(order(&nodes, now), [FIRST, SECOND]);
}

#[tokio::test]
async fn if_no_address_answers_each_reason_is_reported() {
    let nodes = two();
    for _ in 0..2 {
        let error = nodes.ask("x", |settings| async move { get_all_versions(&settings, "x".to_owned()).await }).await;
        let error = error.unwrap_err();
        assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{FIRST}: ")) && text.contains(&format!("{SECOND}: ")), "{text}");
    }
}
