//! What an operation answers when it refuses.

use std::borrow::Cow;

/// Who is at fault, as the Query protocol's `<Type>` and the SDKs' retry rules have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request: repeating it as it is does not help.
    Sender,
    /// The service: the same request may pass later.
    Receiver,
}

/// The refusal of one operation, before a protocol has given it its form on the wire.
///
/// `code` is the name of the error's shape in the service's model (`QueueDoesNotExist`); where the Query protocol writes
/// another (`AWS.SimpleQueueService.NonExistentQueue`), the codec translates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The shape's name in the service's model.
    pub code: Cow<'static, str>,
    /// For a person; what was wrong, where, and what to do.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl ApiError {
    /// A refusal with HTTP status 400, which is what most of them have.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into(), status: 400 }
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The service failed: HTTP 500. `message` must not hold anything internal that a stranger should not read.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalFailure", message).with_status(500)
    }

    /// Who is at fault, from the status.
    pub fn fault(&self) -> Fault {
        if self.status >= 500 { Fault::Receiver } else { Fault::Sender }
    }
}
