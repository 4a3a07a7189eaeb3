//! What the fields of a document are called.

/// The names of Elasticsearch's metadata fields, which it refuses in a document (Elasticsearch reference, "Metadata fields", and the
/// field mappers of its sources that have no page there), and the one field that every document is given.
const RESERVED: [&str; 22] = [
    "_data_stream_timestamp",
    "_doc_count",
    "_feature",
    "_field_names",
    "_id",
    "_ignored",
    "_ignored_source",
    "_index",
    "_inference_fields",
    "_ingested_at",
    "_nested_path",
    "_recovery_source",
    "_routing",
    "_seq_no",
    "_size",
    "_source",
    "_tier",
    "_ts_routing_hash",
    "_tsid",
    "_type",
    "_uid",
    "_version",
];

/// What the field `name` of a record with `fields` is called in a document: a reserved name gets an underscore at its end, and more of
/// them where the record has a field of that name too.
pub(super) fn in_document(name: &str, is_field: impl Fn(&str) -> bool) -> String {
    let mut document_name = name.to_owned();
    if !RESERVED.contains(&name) {
        return document_name;
    }
    while document_name == name || is_field(&document_name) {
        document_name.push('_');
    }
    document_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_get_an_underscore_and_all_others_stay() {
        for (name, expected) in [("a", "a"), ("_a", "_a"), ("_id", "_id_"), ("_ingested_at", "_ingested_at_")] {
            assert_eq!(in_document(name, |_| false), expected);
        }
        assert_eq!(in_document("_id", |other| other == "_id_"), "_id__");
    }
}
