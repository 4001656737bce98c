//! Postmark's API: `POST /email`; the response is 200 with a `MessageID`, or 422 with an
//! `ErrorCode` for a message that it does not send.

use gateway_runtime::{
    prelude::*,
    provider::{AttemptClass, HttpResponse},
};
use serde_json::{Value, json};

use super::{EmailSender, accepted, at, joined};
use crate::message::{Accepted, Message, SendRequest};

/// The section `[providers.postmark]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PostmarkConfig {
    /// The base URL of the API.
    #[serde(default = "base_url")]
    base_url: String,
    /// The server token.
    #[serde(default = "no_token")]
    server_token: Secret,
    /// The message stream.
    #[serde(default = "stream")]
    stream: String,
}

fn base_url() -> String {
    "https://api.postmarkapp.com".to_owned()
}

fn no_token() -> Secret {
    Secret::new("")
}

fn stream() -> String {
    "outbound".to_owned()
}

/// The provider Postmark.
#[provider(name = "postmark", title = "Postmark")]
pub struct Postmark {
    http: HttpClient,
    config: Config<PostmarkConfig>,
}

#[provider]
impl EmailSender for Postmark {
    #[provide_method(cost = "0.0015 USD")]
    async fn send(&self, message: &Message) -> Result<Accepted, ProviderError> {
        let PostmarkConfig { base_url, server_token, stream } = &*self.config;
        let request = self.http.post(at(base_url, "/email"));
        let request = request
            .header("accept", "application/json")
            .secret_header("x-postmark-server-token", server_token);
        let response = request.json(&body(message, stream)).send_any().await?;
        match response.status() {
            200 => Ok(accepted("postmark", response.json::<Sent>().await?.message_id)),
            422 => Err(refusal(response).await),
            _ => Err(response.into_error().await),
        }
    }
}

fn body(Message { from, content }: &Message, stream: &str) -> Value {
    let SendRequest { to, cc, subject, text, html } = content;
    let mut body = json!({
        "From": from.0,
        "To": joined(to),
        "Subject": subject,
        "TextBody": text,
        "MessageStream": stream,
    });
    if !cc.is_empty() {
        body["Cc"] = json!(joined(cc));
    }
    if let Some(html) = html {
        body["HtmlBody"] = json!(html);
    }
    body
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    #[serde(rename = "MessageID")]
    message_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal {
    error_code: u32,
    message: String,
}

/// Maps the documented codes: <https://postmarkapp.com/developer/api/overview#error-codes>.
async fn refusal(response: HttpResponse) -> ProviderError {
    let Refusal { error_code: code, message } = match response.json().await {
        Ok(refusal) => refusal,
        // The status is a refusal even if its reason cannot be parsed.
        Err(error) => return error.with_class(AttemptClass::Rejected),
    };
    let why = format!("code {code}: {message}");
    match code {
        // The sender's signature or domain, the account's approval, its credits: another provider
        // has its own.
        400..=405 | 411..=413 => ProviderError::rejected(why),
        406 => ProviderError::invalid(why)
            .with_public_detail("a receiver's mailbox has refused mail before"),
        _ => ProviderError::invalid(why),
    }
}
