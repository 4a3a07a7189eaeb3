//! What the fields of a document are called.

/// The names of Elasticsearch's metadata fields, which it refuses in a document (Elasticsearch reference, "Metadata
/// fields", and the field mappers of its sources that have no page there), the names of what its indices keep for
/// themselves (with a field of such a name, some documents or deletes fail), and the fields that documents are given.
const RESERVED: [&str; 28] = [
    "@timestamp",
    "__soft_deletes",
    "_data_stream_timestamp",
    "_doc_count",
    "_event_type",
    "_feature",
    "_field_names",
    "_id",
    "_ignored",
    "_ignored_source",
    "_index",
    "_index_mode",
    "_inference_fields",
    "_ingested_at",
    "_nested_path",
    "_primary_term",
    "_recovery_source",
    "_routing",
    "_seq_no",
    "_size",
    "_source",
    "_tier",
    "_tombstone",
    "_ts_routing_hash",
    "_tsid",
    "_type",
    "_uid",
    "_version",
];

/// Underscores that a name gets at its end, at most. Each is one more look at all names, and the next field that would be
/// called the same gets one more.
const MAX_UNDERSCORES: usize = 100;

/// Returns what the field `name` of a record with `fields` is called in a document: a reserved name gets an underscore
/// at its end, and more of them where the record has a field of that name too. Dots, which Elasticsearch takes for a
/// way into objects, become underscores; so does a name of spaces and control characters alone, which it refuses. None
/// where more than 100 fields would be called the same.
pub(super) fn in_document(name: &str, is_field: impl Fn(&str) -> bool) -> Option<String> {
    let is_blank = |character: char| character <= ' ' || character.is_whitespace();
    let mut document_name = if name.chars().all(is_blank) { "_".to_owned() } else { name.replace('.', "_") };
    let is_taken = |candidate: &str| RESERVED.contains(&candidate) || (candidate != name && is_field(candidate));
    for _ in 0..=MAX_UNDERSCORES {
        if !is_taken(&document_name) {
            return Some(document_name);
        }
        document_name.push('_');
    }
    None
}

#[cfg(test)]
mod tests;
