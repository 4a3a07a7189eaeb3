use service::metrics::Registry;

use super::*;
use crate::metrics::Metrics;

fn router(to: &[(&str, &str)]) -> (Router, Metrics) {
    let to = to.iter().map(|(value, name)| ((*value).to_owned(), (*name).to_owned())).collect();
    let settings = Elasticsearch {
        index_name: "events".to_owned(),
        routes: Some(Routes { field: "kind".to_owned(), to }),
        ..Elasticsearch::default()
    };
    let metrics = Metrics::new(&Registry::new()).unwrap();
    (Router::new("topic", &settings, &metrics.placement).unwrap(), metrics)
}

fn text(value: &str) -> FoundField<'_> {
    FoundField::Text(value.into())
}

#[test]
fn the_value_chooses_the_index_set_and_all_else_goes_to_the_first() {
    // By name: chats is 1, mail is 2.
    let (router, _) = router(&[("m", "mail"), ("sms", "chats"), ("chat", "chats"), ("call", "events"), ("", "mail")]);
    for (found, expected) in [
        (text("m"), (Route(2), Reason::Value)),
        (text("chat"), (Route(1), Reason::Value)),
        (text("sms"), (Route(1), Reason::Value)),
        (text("call"), (Route(0), Reason::Value)),
        (text(""), (Route(2), Reason::Value)),
        (text("M"), (Route(0), Reason::Other)),
        (text("m "), (Route(0), Reason::Other)),
        (FoundField::Integer(7), (Route(0), Reason::Other)),
    ] {
        assert_eq!(router.route(true, Some(&found)), expected, "{found:?}");
    }
    assert_eq!(router.route(true, None), (Route(0), Reason::Empty));
    assert_eq!(router.route(false, None), (Route(0), Reason::Missing));
}

#[test]
fn numbers_and_booleans_are_named_by_their_text() {
    let (router, _) = router(&[("-7", "a"), ("9223372036854775807", "b"), ("true", "c")]);
    assert_eq!(router.route(true, Some(&FoundField::Integer(-7))).0, Route(1));
    assert_eq!(router.route(true, Some(&FoundField::Integer(i64::MAX))).0, Route(2));
    assert_eq!(router.route(true, Some(&FoundField::Boolean(true))).0, Route(3));
    assert_eq!(router.route(true, Some(&FoundField::Boolean(false))), (Route(0), Reason::Other));
    // A text and a number of the same digits are one value.
    assert_eq!(router.route(true, Some(&text("-7"))).0, Route(1));
}

#[test]
fn documents_are_counted_by_the_reason() {
    let (router, metrics) = router(&[("m", "mail")]);
    for reason in [Reason::Value, Reason::Other, Reason::Other, Reason::Missing] {
        router.note(reason);
    }
    let count = |reason: Reason| metrics.placement.routes.with_label_values(&["topic", reason.as_str()]).get();
    assert_eq!(Reason::ALL.map(count), [1, 2, 0, 1]);
}

#[test]
fn without_routes_there_is_no_router() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    assert!(Router::new("topic", &Elasticsearch::default(), &metrics.placement).is_none());
}
