//! The mapping of the index: what the fields of an event are to Elasticsearch.

use serde_json::{Value, json};

/// The longest string that can be searched, in characters: at four bytes each they are just within Lucene's limit of 32,766 bytes a
/// term, beyond which a document would be refused. A longer one is kept in the document and left out of the index.
const IGNORE_ABOVE: u32 = 8_191;
/// The same for `metadata`, where a term holds the key too.
const IGNORE_ABOVE_FLATTENED: u32 = 4_096;

/// The mapping.
///
/// The fields of the event are named. What another schema has beyond them is mapped as it comes, text as `keyword`; text that looks like a
/// date or a number stays text, so that the first document does not decide for all that follow.
pub fn mapping() -> Value {
    let keyword = || json!({ "type": "keyword", "ignore_above": IGNORE_ABOVE });
    json!({
        "date_detection": false,
        "numeric_detection": false,
        "dynamic_templates": [{
            "text_as_keyword": { "match_mapping_type": "string", "mapping": keyword() }
        }],
        "properties": {
            "event_id": keyword(),
            "action_type": keyword(),
            "user_id": keyword(),
            "timestamp": { "type": "date" },
            "metadata": { "type": "flattened", "ignore_above": IGNORE_ABOVE_FLATTENED },
            "_ingested_at": { "type": "date" },
        }
    })
}
