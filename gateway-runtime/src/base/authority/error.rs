//! The reasons why an authority is invalid.

use std::{error::Error, fmt};

/// The reason why an authority is invalid, as a client reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorityError {
    /// The host begins with `[` and has no `]`.
    UnclosedBracket,
    /// The text in brackets is not an IPv6 address.
    Ipv6,
    /// The request has several `Host` fields.
    RepeatedHost,
    /// The request has no `Host` field.
    MissingHost,
    /// `Host` differs from `:authority`.
    Mismatch,
    /// A percent-encoding in the host is incomplete.
    PercentEncoding,
    /// User information stands in front of the host.
    UserInformation,
    /// The host is empty.
    EmptyHost,
    /// The host has a character that hosts cannot have.
    Character,
    /// The port is not a number from 0 to 65535.
    Port,
}

impl AuthorityError {
    /// Returns the reason as a client reads it.
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::UnclosedBracket => "the host has no closing bracket",
            Self::Ipv6 => "the host is not an IPv6 address in brackets",
            Self::RepeatedHost => "there is more than one `Host` field",
            Self::MissingHost => "the `Host` field is missing",
            Self::Mismatch => "`host` and `:authority` differ",
            Self::PercentEncoding => "the host has a `%` without two hexadecimal digits",
            Self::UserInformation => "user information is not allowed before a host",
            Self::EmptyHost => "the host is empty",
            Self::Character => "the host has an invalid character",
            Self::Port => "the port is not a number from 0 to 65535",
        }
    }
}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl Error for AuthorityError {}
