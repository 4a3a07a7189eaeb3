//! How much the client fetches ahead: all of it follows from `indexer.max_in_flight_bytes`.
//!
//! librdkafka bounds keys and values by `queued.max.messages.kbytes`, but not what it keeps of each record beside them,
//! which for small records is more. So their number is bounded too. Both are looked at before a fetch, so a response of
//! each broker comes on top; it is bounded by `fetch.max.bytes`, except that Kafka always sends at least one batch,
//! however large (KIP-74).

use rdkafka::ClientConfig;

/// Which part of `indexer.max_in_flight_bytes` the keys and values of records fetched ahead may take: one in so many.
const SHARE: u64 = 4;
/// About what librdkafka keeps of each record beside key and value (its operation and its message).
const OVERHEAD: u64 = 512;
/// The responses of so many brokers together may be as large as the share.
const RESPONSES: u64 = 4;
/// The least that is fetched ahead of each kind, however small the whole is: without it each fetch is a record or two.
const LEAST_BYTES: u64 = 256 * 1024;
/// The most of one partition in a response: librdkafka's own default.
const PARTITION_BYTES: u64 = 1024 * 1024;
/// The least that librdkafka takes for `message.max.bytes`, which `fetch.max.bytes` may not be below.
const LEAST_MESSAGE_BYTES: u64 = 1_000;

/// Sets what bounds fetching ahead, unless the config does. `max_in_flight_bytes` is what the topic may hold.
pub(super) fn bound(client: &mut ClientConfig, max_in_flight_bytes: u64) {
    let share = (max_in_flight_bytes / SHARE).max(LEAST_BYTES);
    let response = (share / RESPONSES).max(LEAST_MESSAGE_BYTES);
    // librdkafka refuses a `fetch.max.bytes` below `message.max.bytes`, which a consumer does not use otherwise.
    let largest = client.get("message.max.bytes").and_then(|bytes| bytes.trim().parse().ok());
    let response = response.max(largest.unwrap_or(0));
    set_default(client, "message.max.bytes", &response.min(1_000_000).to_string());
    set_default(client, "queued.max.messages.kbytes", &(share / 1024).to_string());
    set_default(client, "queued.min.messages", &(share / OVERHEAD).min(100_000).to_string());
    set_default(client, "fetch.max.bytes", &response.to_string());
    set_default(client, "fetch.message.max.bytes", &response.min(PARTITION_BYTES).to_string());
}

/// Sets `key` to `value`, unless `kafka.options` has it.
pub(super) fn set_default(client: &mut ClientConfig, key: &str, value: &str) {
    if client.get(key).is_none() {
        client.set(key, value);
    }
}

#[cfg(test)]
mod tests;
