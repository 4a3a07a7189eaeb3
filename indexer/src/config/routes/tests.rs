use config::{check, load_from};

use crate::config::Config;

const ROUTED: &str = "
elasticsearch:
  index_name: events
  routes: {field: action_type, to: {contact.ended: events-ended, call: calls, '7': calls, 'true': events}}
";

fn names(config: &Config) -> Vec<String> {
    config.of_index_sets().into_iter().map(|set| set.elasticsearch.index_name).collect()
}

#[test]
fn each_index_set_has_its_config_and_the_first_is_that_of_the_index_name() {
    let config: Config = load_from("p.yaml", ROUTED, &[]).unwrap();
    assert!(check(&config).is_empty(), "{:?}", check(&config));
    assert_eq!(names(&config), ["events", "calls", "events-ended"]);
    for set in config.of_index_sets() {
        assert_eq!(set.elasticsearch.routes, None);
        assert_eq!(set.elasticsearch.siblings, ["events", "calls", "events-ended"]);
    }
    assert_eq!(names(&Config::default()), ["cxone-events"]);
}

#[test]
fn values_may_be_written_as_yaml_has_them() {
    let text = "elasticsearch: {routes: {field: n, to: {7: sevens, true: trues, call: calls}}}";
    let config: Config = load_from("p.yaml", text, &[]).unwrap();
    let routes = config.elasticsearch.routes.unwrap();
    assert_eq!(routes.to.keys().collect::<Vec<_>>(), ["7", "call", "true"]);
}

#[test]
fn each_topic_may_have_its_own() {
    let text = "
elasticsearch: {routes: {field: kind, to: {x: shared}}}
indexer:
  topics:
    calls: {routes: {field: state, to: {ended: calls-ended}}}
    chats: {}
";
    let config: Config = load_from("p.yaml", text, &[]).unwrap();
    assert!(check(&config).is_empty(), "{:?}", check(&config));
    let all: Vec<_> = config.of_topics().iter().map(names).collect();
    assert_eq!(all, [["calls", "calls-ended"], ["chats", "shared"]]);
}

/// Each config, and what is said of it.
const WRONG: [(&str, &str); 12] = [
    ("elasticsearch: {routes: {field: '', to: {a: b}}}", "elasticsearch.routes.field: must not be empty"),
    ("elasticsearch: {routes: {field: a..b, to: {a: b}}}", "elasticsearch.routes.field: is not a path"),
    ("elasticsearch: {routes: {field: 'a.*', to: {a: b}}}", "elasticsearch.routes.field: must lead to a single value"),
    ("elasticsearch: {routes: {field: 'a[0]', to: {a: b}}}", "an array or a map can hold several values"),
    ("elasticsearch: {routes: {field: a, to: {}}}", "elasticsearch.routes.to: must name an index"),
    ("elasticsearch: {routes: {field: a, to: {x: Calls}}}", "elasticsearch.routes.to.x: must be lowercase"),
    (
        "elasticsearch: {routes: {field: a, to: {x: cxone-events-000002}}}",
        "elasticsearch.routes: cxone-events-000002 may be the name of an index of cxone-events",
    ),
    (
        "elasticsearch: {strategy: time, routes: {field: a, to: {x: calls, y: calls-2026.11}}}",
        "elasticsearch.routes: calls-2026.11 may be the name of an index of cxone-events (calls)",
    ),
    (
        "elasticsearch: {strategy: single, on_duplicate: keep_last, routes: {field: a, to: {x: calls}}}",
        "elasticsearch.on_duplicate: keep_last cannot be used with elasticsearch.routes",
    ),
    (
        "{elasticsearch: {routes: {field: a, to: {x: shared}}}, indexer: {topics: {calls: {}, chats: {}}}}",
        "indexer.topics.chats: elasticsearch.routes: shared is already the index of calls",
    ),
    (
        "indexer: {topics: {calls: {routes: {field: a, to: {x: chats}}}, chats: {}}}",
        "indexer.topics.chats.index_name: chats is already the index of calls",
    ),
    (
        "indexer: {topics: {calls: {routes: {field: a, to: {x: X}}}, chats: {}}}",
        "indexer.topics.calls: elasticsearch.routes.to.x: must be lowercase",
    ),
];

#[test]
fn each_problem_names_its_key() {
    for (text, expected) in WRONG {
        let config: Config = load_from("p.yaml", text, &[]).unwrap();
        let found: Vec<String> = check(&config).into_iter().map(|problem| problem.0).collect();
        assert!(found.iter().any(|problem| problem.contains(expected)), "{text}: {found:?}");
    }
    assert!(load_from::<Config>("p.yaml", "elasticsearch: {routes: {to: {a: b}}}", &[]).is_err());
}

#[test]
fn there_are_only_so_many_index_sets() {
    let of = |count: usize| {
        let to: String = (0..count).map(|number| format!("v{number}: i{number}, ")).collect();
        let text = format!("elasticsearch: {{routes: {{field: a, to: {{{to}}}}}}}");
        check(&load_from::<Config>("p.yaml", &text, &[]).unwrap()).into_iter().map(|problem| problem.0).collect()
    };
    let problems: [Vec<String>; 2] = [of(31), of(32)];
    assert!(problems[0].is_empty(), "{problems:?}");
    assert_eq!(
        problems[1],
        ["elasticsearch.routes.to: names 33 indices together with elasticsearch.index_name, more than 32"]
    );
}
