use super::*;

#[test]
fn each_condition_is_shown_with_its_current_state() {
    let (registry, readiness) = (Registry::new(), Readiness::new());
    conditions(&registry, "ready", Arc::clone(&readiness)).unwrap();
    let kafka = readiness.condition("kafka");
    let of_topic = readiness.part("calls").condition("kafka");
    let shown = || {
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    kafka.met();
    let (plain, part) = (r#"ready{condition="kafka",topic=""}"#, r#"ready{condition="kafka",topic="calls"}"#);
    assert_eq!(shown(), [format!("{plain} 1"), format!("{part} 0")]);
    of_topic.met_but("something is amiss");
    kafka.unmet("gone");
    assert_eq!(shown(), [format!("{plain} 0"), format!("{part} 1")]);
}
