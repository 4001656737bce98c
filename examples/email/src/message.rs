//! The vocabulary of the service: messages, what becomes of them, and what is told of them later.

use gateway_runtime::model;

/// A mail address, without a display name.
#[model]
#[derive(PartialEq, Eq)]
#[serde(transparent)]
pub struct Address(
    /// Of RFC 5321, without quoted names and literal hosts.
    #[schemars(
        email,
        length(max = 254),
        regex(pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+$")
    )]
    pub String,
);

/// A message to be sent. The longest is less than the 1 MiB of a body, even if JSON escapes each character with twelve bytes.
#[model]
#[serde(deny_unknown_fields)]
pub struct SendRequest {
    /// Who gets it.
    #[schemars(length(min = 1, max = 50))]
    pub to: Vec<Address>,
    /// Who gets a copy.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub cc: Vec<Address>,
    /// One line.
    #[schemars(length(min = 1, max = 500), regex(pattern = r"^[^\x00-\x1f\x7f]+$"))]
    pub subject: String,
    /// The message as plain text.
    #[schemars(length(min = 1, max = 20_000))]
    pub text: String,
    /// The same in HTML, for readers that show it.
    #[schemars(length(min = 1, max = 50_000))]
    pub html: Option<String>,
}

/// A message as providers are given it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who sends it: the service.
    pub from: Address,
    /// Everything else.
    pub content: SendRequest,
}

/// That a provider has taken a message: it will try to deliver it.
#[model]
#[derive(PartialEq, Eq)]
pub struct Accepted {
    /// The provider's name for the message.
    pub message_id: String,
    /// Which provider has it.
    pub provider: String,
}

/// Which message is asked about.
#[model]
#[serde(deny_unknown_fields)]
pub struct StatusQuery {
    /// As `send` told it.
    #[schemars(length(min = 1, max = 300))]
    pub message_id: String,
}

/// What is known of a message.
#[model]
#[derive(PartialEq, Eq)]
pub struct Status {
    /// Which message, and who has it.
    #[serde(flatten)]
    pub accepted: Accepted,
    /// How far it has got.
    pub state: State,
    /// Why it came back, in the words of the last server that had it.
    pub reason: Option<String>,
}

/// How far a message has got.
#[model]
#[derive(Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The provider has it.
    Accepted,
    /// It is in its receiver's mailbox.
    Delivered,
    /// It could not be delivered.
    Bounced,
}

/// A provider tells that a message has arrived.
#[model]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// Which message.
    #[schemars(length(min = 1, max = 300))]
    pub message_id: String,
}

/// A provider tells that a message has come back.
#[model]
#[serde(deny_unknown_fields)]
pub struct Bounced {
    /// Which message.
    #[schemars(length(min = 1, max = 300))]
    pub message_id: String,
    /// Why, in the words of the last server that had it.
    #[schemars(length(max = 1_000))]
    pub reason: String,
}
