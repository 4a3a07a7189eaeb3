//! Limits how much the client prefetches. All limits follow from `indexer.max_in_flight_bytes`.
//!
//! librdkafka bounds keys and values by `queued.max.messages.kbytes`, but not its overhead per record, which is
//! larger for small records. So the number of records is bounded too. Both are checked before a fetch, so one
//! response per broker is added; it is bounded by `fetch.max.bytes`, except that Kafka always sends at least one
//! batch, however large (KIP-74).

use rdkafka::ClientConfig;

/// The share of `indexer.max_in_flight_bytes` for prefetched keys and values: one part in this many.
const SHARE: u64 = 4;
/// librdkafka's approximate overhead per record (its operation and its message), in bytes.
const OVERHEAD: u64 = 512;
/// The responses of this many brokers together may be as large as the share.
const RESPONSES: u64 = 4;
/// The least bytes to prefetch, however small the limit is. Otherwise each fetch would hold only a record or two.
const LEAST_BYTES: u64 = 256 * 1024;
/// The most bytes of one partition in a response: librdkafka's own default.
const PARTITION_BYTES: u64 = 1024 * 1024;
/// The smallest `message.max.bytes` that librdkafka accepts. `fetch.max.bytes` may not be smaller.
const LEAST_MESSAGE_BYTES: u64 = 1_000;

/// Sets the prefetch limits that the config does not set. `max_in_flight_bytes` is the limit of the topic.
pub(super) fn bound(client: &mut ClientConfig, max_in_flight_bytes: u64) {
    let share = (max_in_flight_bytes / SHARE).max(LEAST_BYTES);
    let response = (share / RESPONSES).max(LEAST_MESSAGE_BYTES);
    // librdkafka refuses a `fetch.max.bytes` below `message.max.bytes`, which has no other effect on a consumer.
    let largest = client.get("message.max.bytes").and_then(|bytes| bytes.trim().parse().ok());
    let response = response.max(largest.unwrap_or(0));
    set_default(client, "message.max.bytes", &response.min(1_000_000).to_string());
    set_default(client, "queued.max.messages.kbytes", &(share / 1024).to_string());
    set_default(client, "queued.min.messages", &(share / OVERHEAD).min(100_000).to_string());
    set_default(client, "fetch.max.bytes", &response.to_string());
    set_default(client, "fetch.message.max.bytes", &response.min(PARTITION_BYTES).to_string());
}

/// Sets `key` to `value`, unless `kafka.options` sets it.
pub(super) fn set_default(client: &mut ClientConfig, key: &str, value: &str) {
    if client.get(key).is_none() {
        client.set(key, value);
    }
}

#[cfg(test)]
mod tests;
