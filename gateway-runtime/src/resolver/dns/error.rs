//! The error of a question that no server answers.

use std::fmt;

use hickory_resolver::{net::NetError, proto::op::ResponseCode};

/// The reason why nothing is known of a name. It is not the answer that there are no records.
#[derive(Clone, Debug)]
pub(super) enum AskError {
    /// The server refuses, or fails itself.
    Code(ResponseCode),
    /// The server knows others that may know.
    Referral,
    /// The reply has records, but none that belong to the question.
    Unrelated,
    /// The CNAME records make a circle, or a chain that is too long.
    Chain,
    /// The server did not reply, or not with a message of DNS.
    Network(NetError),
    /// The configuration has no server.
    NoServer,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "the server answers with `{code}`"),
            Self::Referral => f.write_str("the server refers to others; it is not recursive"),
            Self::Unrelated => f.write_str("the reply has none of the records in question"),
            Self::Chain => f.write_str("the CNAME records do not end"),
            Self::Network(error) => write!(f, "no reply: {error}"),
            Self::NoServer => f.write_str("there is no server"),
        }
    }
}

impl std::error::Error for AskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Network(error) => Some(error),
            _ => None,
        }
    }
}
