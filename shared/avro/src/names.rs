//! The names of fields in a document.

/// The reserved names: Elasticsearch's metadata fields, which it refuses in a document (Elasticsearch reference,
/// "Metadata fields", and the field mappers in its source code that have no page there); the internal fields of its
/// indices, which make some documents or deletes fail; and the fields that Penstock adds to documents.
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

/// The most underscores appended to a name. Each one costs another look at all names, and each field of the same name
/// gets one more.
const MAX_UNDERSCORES: usize = 100;

/// Returns the name of the field `name` in a document. A reserved name gets an underscore at its end, or more of them
/// if the record also has a field of that name. Dots, which Elasticsearch would read as nested objects, become
/// underscores. A name of only spaces and control characters, which Elasticsearch refuses, becomes an underscore too.
/// Returns `None` if more than 100 fields would get the same name.
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
