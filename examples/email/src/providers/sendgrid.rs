//! SendGrid's Web API v3: `POST /v3/mail/send`; the response is 202 without a body, with the
//! message's id in `X-Message-Id`.

use std::time::{Duration, SystemTime};

use gateway_runtime::{prelude::*, provider::HttpResponse};
use serde_json::{Value, json};

use super::{EmailSender, accepted, at};
use crate::message::{Accepted, Address, Message, SendRequest};

/// The section `[providers.sendgrid]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SendGridConfig {
    /// The base URL of the API.
    #[serde(default = "base_url")]
    base_url: String,
    /// A key that may send mail.
    #[serde(default = "no_key")]
    api_key: Secret,
}

fn base_url() -> String {
    "https://api.sendgrid.com".to_owned()
}

fn no_key() -> Secret {
    Secret::new("")
}

/// The provider SendGrid.
#[provider(name = "sendgrid", title = "SendGrid")]
pub struct SendGrid {
    http: HttpClient,
    config: Config<SendGridConfig>,
}

#[provider]
impl EmailSender for SendGrid {
    #[provide_method(cost = "0.0009 USD")]
    async fn send(&self, message: &Message) -> Result<Accepted, ProviderError> {
        let url = at(&self.config.base_url, "/v3/mail/send");
        let request = self.http.post(url).bearer(&self.config.api_key).json(&body(message));
        let response = request.send_any().await?;
        if response.status() != 202 {
            return Err(refusal(response).await);
        }
        let id = response.headers().get("x-message-id").and_then(|id| id.to_str().ok());
        id.map(|id| accepted("sendgrid", id))
            .ok_or_else(|| ProviderError::ambiguous("a 202 without X-Message-Id"))
    }
}

fn body(Message { from, content }: &Message) -> Value {
    let SendRequest { to, cc, subject, text, html } = content;
    let list = |addresses: &[Address]| {
        addresses.iter().map(|Address(email)| json!({ "email": email })).collect()
    };
    // SendGrid refuses an empty list.
    let mut receivers = json!({ "to": list(to) });
    if !cc.is_empty() {
        receivers["cc"] = list(cc);
    }
    let parts = [Some(("text/plain", text)), html.as_ref().map(|html| ("text/html", html))];
    let parts: Vec<_> = parts
        .into_iter()
        .flatten()
        .map(|(kind, value)| json!({ "type": kind, "value": value }))
        .collect();
    json!({
        "personalizations": [receivers],
        "from": { "email": from.0 },
        "subject": subject,
        "content": parts,
    })
}

/// Maps the statuses. 400 concerns the message; 401 and 403 concern the account, as their default
/// mapping says. The others need a rule of their own.
async fn refusal(response: HttpResponse) -> ProviderError {
    let reset =
        response.headers().get("x-ratelimit-reset").and_then(|at| at.to_str().ok()?.parse().ok());
    match response.status() {
        // The message is larger than this API accepts; a mail server may accept more.
        413 => ProviderError::unsupported("413: the message is too large"),
        429 => reset
            .map(until)
            .into_iter()
            .fold(response.into_error().await, ProviderError::retry_after),
        _ => response.into_error().await,
    }
}

/// Returns the time from now until a time in seconds since 1970; zero for a time in the past.
fn until(seconds: u64) -> Duration {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    at.duration_since(SystemTime::now()).unwrap_or_default()
}
