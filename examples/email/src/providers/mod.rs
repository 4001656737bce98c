//! The capability to send mail, and four providers.

pub mod mailgun;
pub mod postmark;
pub mod sendgrid;
pub mod smtp;

use gateway_runtime::prelude::*;

use crate::message::{Accepted, Address, Message};

/// A way of sending mail.
#[capability]
pub trait EmailSender {
    /// Accepts a message for delivery. A second call sends it a second time.
    #[provide_method(effect = once)]
    async fn send(&self, message: &Message) -> Result<Accepted, ProviderError>;
}

fn accepted(provider: &str, message_id: impl Into<String>) -> Accepted {
    Accepted { message_id: message_id.into(), provider: provider.to_owned() }
}

/// Joins addresses to a list for a header or a form.
fn joined(addresses: &[Address]) -> String {
    addresses.iter().map(|address| address.0.as_str()).collect::<Vec<_>>().join(",")
}

/// Joins an API's base URL, with or without a slash at its end, and a path.
fn at(base_url: &str, path: &str) -> String {
    format!("{}{path}", base_url.trim_end_matches('/'))
}
