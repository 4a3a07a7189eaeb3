//! The page and the JSON of a small service.

use prometheus::IntGauge;
use serde_json::Value;

use super::layout;
use super::layout::{Column, Measure, Node, Parts, Role, Show, Unit, all};
use super::*;
use crate::metrics::{counter, gauges};

const LAYOUT: Layout = Layout {
    service: "tester",
    version: "1.2.3",
    nodes: &[
        Node { name: "Senders", role: Role::Elsewhere("somewhere"), conditions: &[], figures: &[], beside: &[] },
        Node {
            name: "Kafka",
            role: Role::Seen,
            conditions: &["kafka"],
            figures: &[layout::Figure {
                key: "read",
                label: "read",
                plot: Some("records read"),
                unit: Unit::Count,
                measure: Measure::Sum(all("read_total")),
            }],
            beside: &[],
        },
    ],
    parts: Parts {
        title: "Topics",
        label: "topic",
        columns: &[Column { name: "waiting", metric: "lag", show: Show::Sum(Unit::Count) }],
    },
};

struct Tester {
    status: Status,
    readiness: Arc<Readiness>,
    lag: IntGauge,
}

fn tester() -> Tester {
    let (registry, readiness) = (Registry::new(), Readiness::new());
    counter(&registry, "read_total", "Records read.").unwrap().inc_by(1_234);
    let lag = gauges(&registry, "lag", "Lag.", &["topic"]).unwrap().with_label_values(&["<b>bold</b>"]);
    Tester { status: Status::new(&LAYOUT, registry, Arc::clone(&readiness)), readiness, lag }
}

#[test]
fn a_new_service_is_shown_as_not_ready() {
    let page = tester().status.page();
    assert!(page.contains("Penstock tester: not ready") && page.contains("1.2.3"), "{page}");
}

#[test]
fn the_page_shows_figures_plots_and_table_of_the_last_sample() {
    let Tester { status, lag, .. } = tester();
    lag.set(7);
    status.sample();
    let page = status.page();
    assert!(page.contains(r#"<dd data-figure="read">1,234</dd>"#), "{page}");
    assert!(page.contains(r#"d="M179,1.5h0""#), "{page}");
    assert!(page.contains(r#"<td data-name="waiting">7</td>"#), "{page}");
}

#[test]
fn a_problem_is_shown_with_its_reason_and_marks_its_box() {
    let Tester { status, readiness, .. } = tester();
    let (kafka, registry) = (readiness.condition("kafka of a"), readiness.condition("registry"));
    kafka.met();
    registry.met();
    assert!(status.page().contains(r#"<div class="box ok">"#), "{}", status.page());
    kafka.met_but("one topic is missing");
    let page = status.page();
    assert!(page.contains(r#"<div class="box warn">"#) && page.contains("one topic is missing"), "{page}");
    kafka.unmet("no broker answers");
    let page = status.page();
    assert!(page.contains(r#"<div class="box bad">"#) && page.contains("no broker answers"), "{page}");
    assert!(page.contains("not ready</span>: kafka of a</p>"), "{page}");
}

#[test]
fn foreign_text_never_becomes_markup() {
    let Tester { status, readiness, .. } = tester();
    let hostile = r#"</p><script>alert("1")</script><img src=x onerror='alert(2)'>"#;
    readiness.condition("kafka").unmet(hostile);
    readiness.condition("<i>name</i>").unmet("a & b");
    status.sample();
    let page = status.page();
    assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains("<i>"), "{page}");
    assert!(!page.contains("<b>bold"), "{page}");
    assert!(page.contains("&lt;script&gt;alert"), "{page}");
}

#[test]
fn the_policy_allows_style_and_script_only_by_hash() {
    let policy = SECURITY_POLICY.as_str();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(policy.matches("'sha256-").count(), 2);
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn the_json_has_the_content_of_the_page_and_can_be_parsed() {
    let Tester { status, readiness, lag } = tester();
    readiness.condition("kafka").unmet("no broker answers");
    lag.set(7);
    (0..SAMPLES_AND_MORE).for_each(|_| status.sample());
    let text = status.json().unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["history"]["samples"]["read"].as_array().unwrap().len(), 180, "more samples than fit");
    let document: Document = serde_json::from_str(&text).unwrap();
    assert_eq!((document.service.as_str(), document.ready), ("tester", false));
    assert_eq!(document.conditions[0].text, "no broker answers");
    assert_eq!((document.figures[0].value, document.figures[0].node.as_str()), (Some(1_234.0), "Kafka"));
    assert_eq!(document.parts["<b>bold</b>"]["waiting"].to_string(), "7");
}

/// More samples than the ring holds.
const SAMPLES_AND_MORE: usize = 200;
