//! The behaviours that a stand-in can simulate.

use std::{fmt, str::FromStr};

/// The behaviour of a stand-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// Accepts mail.
    #[default]
    Well,
    /// Refuses connections.
    Refuse,
    /// Replies with this status. An HTTP stand-in replies with an HTTP status, from 500 after it
    /// has accepted the mail, below 500 without accepting it. The mail server replies with an SMTP
    /// status and does not accept the mail.
    Status(u16),
    /// Replies with this status and this text.
    Saying(u16, &'static str),
    /// Accepts the mail and cuts the connection.
    Cut,
    /// Accepts the mail and never replies.
    Hang,
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well => f.write_str("well"),
            Self::Refuse => f.write_str("refuse"),
            Self::Status(status) | Self::Saying(status, _) => status.fmt(f),
            Self::Cut => f.write_str("cut"),
            Self::Hang => f.write_str("hang"),
        }
    }
}

impl FromStr for Behaviour {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "well" => Ok(Self::Well),
            "refuse" => Ok(Self::Refuse),
            "cut" => Ok(Self::Cut),
            "hang" => Ok(Self::Hang),
            _ => match word.parse() {
                Ok(status @ 400..=599) => Ok(Self::Status(status)),
                _ => Err(format!(
                    "`{word}` is none of well, refuse, cut, hang, and a status from 400 to 599"
                )),
            },
        }
    }
}
