//! Bounds, from "Amazon SQS quotas" and the API reference.

/// Longest name of a queue, in characters.
pub const QUEUE_NAME_LEN_MAX: usize = 80;
/// Largest and default `MaximumMessageSize`, and the largest batch, in bytes.
pub const MESSAGE_SIZE_MAX: u32 = 1_048_576;
/// Least `MaximumMessageSize`, in bytes.
pub const MESSAGE_SIZE_MIN: u32 = 1024;
/// Longest `DelaySeconds`.
pub const DELAY_S_MAX: u32 = 900;
/// Shortest `MessageRetentionPeriod`, in seconds.
pub const RETENTION_S_MIN: u32 = 60;
/// Longest `MessageRetentionPeriod`, in seconds: 14 days.
pub const RETENTION_S_MAX: u32 = 1_209_600;
/// Default `MessageRetentionPeriod`, in seconds: 4 days.
pub const RETENTION_S_DEFAULT: u32 = 345_600;
/// Longest `WaitTimeSeconds`.
pub const WAIT_S_MAX: u32 = 20;
/// Longest `VisibilityTimeout` in seconds, also in total since the receive: 12 hours.
pub const VISIBILITY_S_MAX: u32 = 43_200;
/// Default `VisibilityTimeout`, in seconds.
pub const VISIBILITY_S_DEFAULT: u32 = 30;
/// Most messages of one receive.
pub const RECEIVE_COUNT_MAX: u32 = 10;
/// Most entries of one batch.
pub const BATCH_COUNT_MAX: usize = 10;
/// Longest id of a batch entry, in characters.
pub const BATCH_ID_LEN_MAX: usize = 80;
/// Most attributes of one message.
pub const ATTRIBUTE_COUNT_MAX: usize = 10;
/// Longest name of a message attribute, in characters; its type has the same bound.
pub const ATTRIBUTE_NAME_LEN_MAX: usize = 256;
/// Longest `MessageGroupId`, in characters.
pub const GROUP_ID_LEN_MAX: usize = 128;
/// Most messages of a standard queue that are in flight at once.
pub const IN_FLIGHT_COUNT_MAX: u64 = 120_000;
/// Largest `maxReceiveCount` of a redrive policy.
pub const RECEIVES_MAX: u32 = 1000;
/// Most sources that a redrive allow policy names.
pub const REDRIVE_SOURCE_COUNT_MAX: usize = 10;
/// Longest text of a redrive policy, in bytes. Ours: AWS bounds only the request.
pub const REDRIVE_POLICY_LEN_MAX: usize = 20_480;
/// Most tags of a queue, without those of services.
pub const TAG_COUNT_MAX: usize = 50;
/// Longest key of a tag, in characters.
pub const TAG_KEY_LEN_MAX: usize = 128;
/// Longest value of a tag, in characters.
pub const TAG_VALUE_LEN_MAX: usize = 256;
/// Most queues on one page of a list, and without `MaxResults`.
pub const PAGE_SIZE_MAX: u32 = 1000;
/// Seconds between two purges of a queue.
pub const PURGE_INTERVAL_S: i64 = 60;
/// Seconds before the name of a deleted queue may be used again.
pub const NAME_REUSE_S: i64 = 60;
/// Most move tasks that are remembered and listed for one source.
pub const MOVE_TASK_COUNT_MAX: usize = 10;
/// Largest `MaxNumberOfMessagesPerSecond` of a move task.
pub const MOVE_RATE_MAX: u32 = 500;
/// Longest `TaskHandle` and receipt handle that is looked at, in bytes.
pub const HANDLE_LEN_MAX: usize = 4096;

/// The longest label of a permission, in characters.
pub const LABEL_LEN_MAX: usize = 80;
