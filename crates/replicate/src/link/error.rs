//! Why something is refused.

/// Why a link cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The cryptography is not built in.
    #[error("the cryptography of links is missing")]
    NoCrypto,
    /// A value of the configuration is out of range.
    #[error("{field} of the link's configuration is out of range")]
    Config {
        /// The field.
        field: &'static str,
    },
    /// The handshake could not be begun.
    #[error("the handshake cannot begin: {0}")]
    Handshake(snow::Error),
}

/// Why a message is not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The message is longer than [`MAX_MESSAGE_BYTES`](super::MAX_MESSAGE_BYTES).
    #[error("a message of {bytes} bytes is too long")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Its number is not above those queued before.
    #[error("message {message_no} comes after {highest}")]
    NotIncreasing {
        /// Its number.
        message_no: u64,
        /// The highest number before.
        highest: u64,
    },
    /// The peer holds a message of this number durably already.
    #[error("message {message_no} is durable at the peer already")]
    AlreadyDurable {
        /// Its number.
        message_no: u64,
    },
    /// Too much waits already in this class: wait for [`Event::Durable`](super::Event::Durable).
    #[error("{queued_bytes} bytes wait already")]
    Full {
        /// What waits.
        queued_bytes: usize,
    },
}
