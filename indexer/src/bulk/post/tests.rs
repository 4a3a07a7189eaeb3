use super::*;
use crate::bulk::tests::batch_of;
use crate::bulk::work::Work;
use crate::message::target::{Age, Route, Target};

/// Creates a batch of two documents, each for its own index.
fn batch() -> Batch {
    let mut batch = batch_of(&["x", "y"]);
    batch.targets = ["a", "b"]
        .map(|index| Target { index: index.into(), route: Route::default(), look_up: false, age: Age::Current })
        .into();
    batch.items[1].target = 1;
    batch
}

#[test]
fn the_path_names_the_only_index_or_else_the_first() {
    let batch = batch();
    let work = Work::new(&batch, false);
    for (chunk, path) in [(&[0][..], "/a/_bulk"), (&[1], "/b/_bulk"), (&[0, 1], "/a/_bulk")] {
        let (actual, body) = address(&work, &batch, chunk, None);
        assert_eq!(actual, path);
        assert_eq!(body.split(|byte| *byte == b'\n').count(), chunk.len() * 2 + 1);
    }
}

/// The status of `index` does not say whether the document was written.
#[test]
fn the_result_is_asked_for_where_the_status_does_not_say_it() {
    for (on_duplicate, expected) in [(OnDuplicate::KeepFirst, false), (OnDuplicate::KeepLast, true)] {
        assert_eq!(filter_path(on_duplicate).contains("items.*.result"), expected);
        assert!(filter_path(on_duplicate).contains(FILTER_PATH.split(",error,").next().unwrap()));
    }
}

#[test]
fn after_a_refusal_of_several_indices_each_request_names_one() {
    let config = Config::default();
    let client = Arc::new(Client::new(&config.elasticsearch).unwrap());
    let metrics = crate::metrics::Metrics::new(&service::metrics::Registry::new()).unwrap();
    let post = Post::new(&config, &client, &metrics.bulk);
    let batch = batch();
    let budget = RequestBudget { items: 10, bytes: 1_000 };
    assert_eq!(post.fit(&mut Work::new(&batch, false), budget), budget);
    post.go_by_path();
    assert_eq!(post.fit(&mut Work::new(&batch, false), budget), RequestBudget { items: 1, ..budget });
}
