//! What every way of sending mail can do, and four that can.

pub mod mailgun;
pub mod postmark;
pub mod sendgrid;
pub mod smtp;

use gateway_runtime::prelude::*;

use crate::message::{Accepted, Address, Message};

/// What every way of sending mail can do.
#[capability]
pub trait EmailSender {
    /// Takes a message for delivery. Whoever is asked twice sends it twice.
    #[provide_method(effect = once)]
    async fn send(&self, message: &Message) -> Result<Accepted, ProviderError>;
}

fn accepted(provider: &str, message_id: impl Into<String>) -> Accepted {
    Accepted { message_id: message_id.into(), provider: provider.to_owned() }
}

/// Addresses as a list for a header or a form.
fn joined(addresses: &[Address]) -> String {
    addresses.iter().map(|address| address.0.as_str()).collect::<Vec<_>>().join(",")
}

/// An API's base URL, whether or not it was written with a slash at its end.
fn at(base_url: &str, path: &str) -> String {
    format!("{}{path}", base_url.trim_end_matches('/'))
}
