//! A message as a client posts it: five addresses and a text of 1 KiB.

use gateway_runtime::prelude::*;

/// A message.
#[model]
pub struct Message {
    /// The addresses.
    #[schemars(length(min = 1, max = 50), inner(length(min = 3, max = 254), regex(pattern = "@")))]
    pub to: Vec<String>,
    /// The subject, one line.
    #[schemars(length(min = 1, max = 200))]
    pub subject: String,
    /// The text.
    #[schemars(length(max = 65536))]
    pub body: String,
}

/// The acknowledgement of a message.
#[model]
pub struct Accepted {
    /// The number of addresses.
    pub accepted: usize,
}

impl Message {
    /// Creates a message that is valid by its schema.
    #[must_use]
    pub fn valid() -> Self {
        let text = "Lorem ipsum dolor sit amet, \"quoted\" and\nnew lines. ".chars().cycle();
        Self {
            to: (0..5).map(|n| format!("user{n}@example.org")).collect(),
            subject: "Quarterly report is ready".to_owned(),
            body: text.take(1024).collect(),
        }
    }

    /// Creates a message with four violations of its schema, three of them in its addresses.
    #[must_use]
    pub fn invalid() -> Self {
        let mut message = Self::valid();
        for address in &mut message.to[1..4] {
            *address = address.replace('@', " at ");
        }
        Self { subject: String::new(), ..message }
    }
}
