use super::*;

#[test]
fn names_are_found_in_expressions() {
    let text = r#"sum by (topic) (rate(penstock_a_total{x="y"}[5m])) / up + namespace_topic:penstock_late:rate5m"#;
    let found: Vec<String> = names(text).into_iter().collect();
    assert_eq!(found, ["namespace_topic:penstock_late:rate5m", "penstock_a_total", "up"]);
}

#[test]
fn no_variable_is_left() -> Result<()> {
    let left: Vec<Query> = queries()?.into_iter().filter(|query| query.with_everything("5s").contains('$')).collect();
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}
