//! The id that Kafka gives a topic when it is created (KIP-516). A topic that is deleted and created again under the
//! same name gets another id. Nothing else proves the change: offsets, epochs and timestamps may all look as if the
//! topic had continued. This crate also asks what a client may do with a topic (KIP-430), and where a partition ends if
//! the records of open transactions count.
//!
//! librdkafka offers the first two in its call `DescribeTopics`, and the third in a call that only reads memory.
//! rdkafka 0.39 wraps neither, so this crate calls librdkafka itself. It is the only crate in the workspace with
//! `unsafe`, and does nothing else. Each object from librdkafka has an owner here, which destroys it exactly once, when
//! dropped and before the client.

use std::ffi::{CString, NulError, c_char};
use std::fmt;
use std::ptr::NonNull;
use std::str::FromStr;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

/// The id of a topic.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TopicId(u128);

/// Says why the id of a topic is unknown.
#[derive(Debug, thiserror::Error)]
pub enum TopicIdError {
    /// The text cannot be the name of a topic.
    #[error("the topic's name has a zero byte")]
    Name(#[from] NulError),
    /// The cluster did not answer in time.
    #[error("the cluster did not answer in time")]
    TimedOut,
    /// The cluster refused the request, or has no such topic.
    #[error("the cluster did not describe the topic: {0}")]
    Refused(RDKafkaErrorCode),
    /// librdkafka did not behave as documented.
    #[error("librdkafka returned no description of the topic")]
    Nothing,
}

/// Asks the cluster of `consumer` for the id of `topic`, and waits up to `timeout`. Returns `None` if the cluster does
/// not support topic ids (before Kafka 2.8).
///
/// # Errors
/// [`TopicIdError`].
pub fn topic_id<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    timeout: Duration,
) -> Result<Option<TopicId>, TopicIdError> {
    describe(consumer, topic, timeout, false, id_in)
}

/// Says what a client may do with a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Read its records.
    pub read: bool,
    /// Write records.
    pub write: bool,
    /// Read its settings.
    pub describe_configs: bool,
}

/// Asks the cluster of `consumer` what this client may do with `topic`, and waits up to `timeout`. Without access
/// control, everything is allowed. Returns `None` if the cluster does not say.
///
/// # Errors
/// [`TopicIdError`]; also if the client may not describe the topic.
pub fn allowed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    timeout: Duration,
) -> Result<Option<Allowed>, TopicIdError> {
    describe(consumer, topic, timeout, true, allowed_in)
}

/// Asks the cluster of `consumer` for both the id of `topic` and what this client may do with it, with one request.
///
/// # Errors
/// The same as those of [`topic_id`] and [`allowed`].
pub fn id_and_allowed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    timeout: Duration,
) -> Result<(Option<TopicId>, Option<Allowed>), TopicIdError> {
    describe(consumer, topic, timeout, true, |description| (id_in(description), allowed_in(description)))
}

/// Returns the offset after the last record of `partition` of `topic`, including records of open transactions, as of
/// the last answer that `consumer` got while it read the partition; `None` before the first one. Sends no request.
pub fn high_watermark<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str, partition: i32) -> Option<i64> {
    let name = CString::new(topic).ok()?;
    let (mut low, mut high) = (0, 0);
    let client = consumer.client().native_ptr();
    // SAFETY: `client` is a live handle and `name` ends with a zero byte; librdkafka keeps neither. Both numbers are
    // written before the call returns without an error.
    let code = unsafe {
        native::rd_kafka_get_watermark_offsets(client, name.as_ptr(), partition, &raw mut low, &raw mut high)
    };
    (accepted(code).is_ok() && high >= 0).then_some(high)
}

/// Returns the id in a live `description`.
fn id_in(description: *const native::rd_kafka_TopicDescription_t) -> Option<TopicId> {
    // SAFETY: `description` is live, and the id in it lives equally long.
    let id = unsafe { native::rd_kafka_TopicDescription_topic_id(description) };
    if id.is_null() {
        return None;
    }
    // SAFETY: `id` is live.
    let (high, low) =
        unsafe { (native::rd_kafka_Uuid_most_significant_bits(id), native::rd_kafka_Uuid_least_significant_bits(id)) };
    let bits = u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned());
    (bits != 0).then_some(TopicId(bits))
}

/// Returns what a live `description` allows; `None` if it lists no operations, although describing is one.
fn allowed_in(description: *const native::rd_kafka_TopicDescription_t) -> Option<Allowed> {
    use native::rd_kafka_AclOperation_t as Operation;
    let mut count = 0;
    // SAFETY: `description` is live, and `count` is written before the call returns. The array has `count` elements
    // and lives equally long.
    let operations = unsafe { native::rd_kafka_TopicDescription_authorized_operations(description, &raw mut count) };
    if operations.is_null() || count == 0 {
        return None;
    }
    let mut allowed = Allowed::default();
    for number in 0..count {
        // SAFETY: the array has more elements than `number`. They are read as C integers, so an unknown operation is
        // harmless.
        let operation = unsafe { operations.cast::<u32>().add(number).read() };
        allowed.read |= operation == Operation::RD_KAFKA_ACL_OPERATION_READ as u32;
        allowed.write |= operation == Operation::RD_KAFKA_ACL_OPERATION_WRITE as u32;
        allowed.describe_configs |= operation == Operation::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS as u32;
    }
    Some(allowed)
}

/// Asks the cluster of `consumer` to describe `topic`, `with_operations` if the client's permissions are wanted. Passes
/// the description to `read`; it lives only during that call.
fn describe<C: ConsumerContext, T>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    timeout: Duration,
    with_operations: bool,
    read: impl FnOnce(*const native::rd_kafka_TopicDescription_t) -> T,
) -> Result<T, TopicIdError> {
    let name = CString::new(topic)?;
    let mut names = [name.as_ptr()];
    let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // The client outlives this call, and so all objects made here: they are dropped at its end.
    let client = consumer.client().native_ptr();
    // SAFETY: `client` is a live handle; the call takes no ownership and returns a new object or null.
    let queue = Owned::new(unsafe { native::rd_kafka_queue_new(client) }, native::rd_kafka_queue_destroy)?;
    // SAFETY: `names` holds one pointer to a string that ends with a zero byte; librdkafka copies it.
    let topics = unsafe { native::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len()) };
    let topics = Owned::new(topics, native::rd_kafka_TopicCollection_destroy)?;
    let operation = native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    // SAFETY: `client` is a live handle; the call returns a new object or null.
    let options = unsafe { native::rd_kafka_AdminOptions_new(client, operation) };
    let options = Owned::new(options, native::rd_kafka_AdminOptions_destroy)?;
    let mut error = [0 as c_char; 256];
    // SAFETY: `options` is live, and `error` is a buffer of the given length, written with its zero byte.
    let set = unsafe {
        native::rd_kafka_AdminOptions_set_request_timeout(
            options.as_ptr(),
            milliseconds,
            error.as_mut_ptr(),
            error.len(),
        )
    };
    accepted(set)?;
    if with_operations {
        // SAFETY: `options` is live; the call returns a new error or null.
        let refused = unsafe { native::rd_kafka_AdminOptions_set_include_authorized_operations(options.as_ptr(), 1) };
        if let Ok(refused) = Owned::new(refused, native::rd_kafka_error_destroy) {
            // SAFETY: `refused` is live.
            accepted(unsafe { native::rd_kafka_error_code(refused.as_ptr()) })?;
        }
    }
    // SAFETY: all four are live; librdkafka copies `topics` and `options`, and keeps its own reference to the queue.
    unsafe { native::rd_kafka_DescribeTopics(client, topics.as_ptr(), options.as_ptr(), queue.as_ptr()) };
    // SAFETY: `queue` is live; the call returns an event that we must destroy, or null after the time-out.
    let event = unsafe { native::rd_kafka_queue_poll(queue.as_ptr(), milliseconds) };
    let event = Owned::new(event, native::rd_kafka_event_destroy).map_err(|_| TopicIdError::TimedOut)?;
    described(&event, read)
}

/// Passes the description in the answer to `read`.
fn described<T>(
    event: &Owned<native::rd_kafka_event_t>,
    read: impl FnOnce(*const native::rd_kafka_TopicDescription_t) -> T,
) -> Result<T, TopicIdError> {
    // SAFETY: `event` is live.
    accepted(unsafe { native::rd_kafka_event_error(event.as_ptr()) })?;
    // SAFETY: `event` is live. The result is null if the event has another type; otherwise it lives as long as the
    // event.
    let result = unsafe { native::rd_kafka_event_DescribeTopics_result(event.as_ptr()) };
    if result.is_null() {
        return Err(TopicIdError::Nothing);
    }
    let mut count = 0;
    // SAFETY: `result` is live, and `count` is written before the call returns. The array has `count` elements.
    let descriptions = unsafe { native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count) };
    if descriptions.is_null() || count == 0 {
        return Err(TopicIdError::Nothing);
    }
    // SAFETY: the array has an element, which lives as long as the event.
    let description = unsafe { *descriptions };
    // SAFETY: `description` is live. The error lives equally long, or is null; the code of null means no error.
    accepted(unsafe { native::rd_kafka_error_code(native::rd_kafka_TopicDescription_error(description)) })?;
    Ok(read(description))
}

fn accepted(code: RDKafkaRespErr) -> Result<(), TopicIdError> {
    match code {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__TIMED_OUT => Err(TopicIdError::TimedOut),
        code => Err(TopicIdError::Refused(code.into())),
    }
}

/// Owns an object of librdkafka, and destroys it when dropped.
struct Owned<T> {
    object: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes ownership of `object`, which only `destroy` may destroy.
    fn new(object: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Result<Self, TopicIdError> {
        NonNull::new(object).map(|object| Self { object, destroy }).ok_or(TopicIdError::Nothing)
    }

    fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the object is live and owned, and is not used after this.
        unsafe { (self.destroy)(self.object.as_ptr()) };
    }
}

/// Writes the id as 32 hexadecimal digits.
impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TopicId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(test)]
mod tests;
