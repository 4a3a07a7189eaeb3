//! Checks `elasticsearch.routes`.

use config::check::Problems;

use super::elasticsearch::index_name;
use crate::config::{Elasticsearch, OnDuplicate};

/// The most index sets of one topic. Each costs requests, lists of indices, and shards.
const MAX_INDEX_SETS: usize = 32;

pub(super) fn check(elasticsearch: &Elasticsearch, problems: &mut Problems) {
    let Some(routes) = &elasticsearch.routes else { return };
    let key = "elasticsearch.routes.field";
    problems.not_empty(key, &routes.field);
    if !routes.field.is_empty() && routes.field.split('.').any(|name| name.trim().is_empty()) {
        problems.add(key, "is not a path: a name between two dots is missing");
    }
    if routes.field.contains(['*', '[', ']']) {
        let message = "must lead to a single value: an array or a map can hold several values, so one event would \
                       have several indices";
        problems.add(key, message);
    }
    if routes.to.is_empty() {
        problems.add("elasticsearch.routes.to", "must name an index for at least one value; or remove routes");
    }
    for (value, name) in &routes.to {
        index_name(format_args!("elasticsearch.routes.to.{value}"), name, problems);
    }
    let sets = elasticsearch.index_names().len();
    if sets > MAX_INDEX_SETS {
        let message =
            format_args!("names {sets} indices together with elasticsearch.index_name, more than {MAX_INDEX_SETS}");
        problems.add("elasticsearch.routes.to", message);
    }
    if elasticsearch.on_duplicate == OnDuplicate::KeepLast {
        let message = "keep_last cannot be used with elasticsearch.routes: two events with one id can have different \
                       values and go to two indices, where both would stay; choose keep_first";
        problems.add("elasticsearch.on_duplicate", message);
    }
}
