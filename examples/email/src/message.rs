//! The vocabulary of the service: messages, their status, and the events that providers report.

use gateway_runtime::model;

/// A mail address, without a display name.
#[model]
#[derive(PartialEq, Eq)]
#[serde(transparent)]
pub struct Address(
    /// An address of RFC 5321, without quoted names and literal hosts.
    #[schemars(
        email,
        length(max = 254),
        regex(pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+$")
    )]
    pub String,
);

/// A message to send. The longest is smaller than the 1 MiB of a body, even if JSON escapes each
/// character with twelve bytes.
#[model]
#[serde(deny_unknown_fields)]
pub struct SendRequest {
    /// The receivers.
    #[schemars(length(min = 1, max = 50))]
    pub to: Vec<Address>,
    /// The receivers of a copy.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub cc: Vec<Address>,
    /// The subject, one line.
    #[schemars(length(min = 1, max = 500), regex(pattern = r"^[^\x00-\x1f\x7f]+$"))]
    pub subject: String,
    /// The message as plain text.
    #[schemars(length(min = 1, max = 20_000))]
    pub text: String,
    /// The message in HTML, for mail programs that show it.
    #[schemars(length(min = 1, max = 50_000))]
    pub html: Option<String>,
}

/// A message as providers receive it.
#[derive(Clone, Debug)]
pub struct Message {
    /// The sender, from the service's configuration.
    pub from: Address,
    /// The content and the receivers.
    pub content: SendRequest,
}

/// The acknowledgement that a provider has accepted a message and will try to deliver it.
#[model]
#[derive(PartialEq, Eq)]
pub struct Accepted {
    /// The provider's id of the message.
    pub message_id: String,
    /// The provider that accepted the message.
    pub provider: String,
}

/// A query for the status of a message.
#[model]
#[serde(deny_unknown_fields)]
pub struct StatusQuery {
    /// The id from the reply of `send`.
    #[schemars(length(min = 1, max = 300))]
    pub message_id: String,
}

/// The status of a message.
#[model]
#[derive(PartialEq, Eq)]
pub struct Status {
    /// The message and its provider.
    #[serde(flatten)]
    pub accepted: Accepted,
    /// The state of the delivery.
    pub state: State,
    /// The reason for a bounce, in the words of the last server that had the message.
    pub reason: Option<String>,
}

/// The state of a delivery.
#[model]
#[derive(Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The provider has accepted the message.
    Accepted,
    /// The message is in its receiver's mailbox.
    Delivered,
    /// The message could not be delivered.
    Bounced,
}

/// A provider's event: a message was delivered.
#[model]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// The id of the message.
    #[schemars(length(min = 1, max = 300))]
    pub message_id: String,
}

/// A provider's event: a message bounced.
#[model]
#[serde(deny_unknown_fields)]
pub struct Bounced {
    /// The id of the message.
    #[schemars(length(min = 1, max = 300))]
    pub message_id: String,
    /// The reason, in the words of the last server that had the message.
    #[schemars(length(max = 1_000))]
    pub reason: String,
}
