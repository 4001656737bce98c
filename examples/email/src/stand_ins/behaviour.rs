//! How a stand-in behaves.

use std::{fmt, str::FromStr};

/// How a stand-in behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// It takes mail.
    #[default]
    Well,
    /// Nobody listens: connections are refused.
    Refuse,
    /// It answers with this status: an HTTP stand-in with an HTTP status, from 500 after having taken the mail and
    /// below without; the mail server with an SMTP one, and without.
    Status(u16),
    /// The same, in these words.
    Saying(u16, &'static str),
    /// It takes the mail and cuts the connection.
    Cut,
    /// It takes the mail and never answers.
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
