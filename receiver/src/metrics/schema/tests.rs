use super::*;

#[test]
fn a_source_has_one_schema_at_a_time() {
    let registry = Registry::new();
    let schema = SchemaInfo::new(&info(&registry).unwrap(), "calls");
    let shown = || {
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(shown(), [r#"penstock_receiver_schema_info{schema_id="none",source="calls"} 0"#]);
    schema.set(7);
    schema.set(7);
    schema.set(9);
    assert_eq!(shown(), [r#"penstock_receiver_schema_info{schema_id="9",source="calls"} 1"#]);
}
