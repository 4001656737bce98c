//! Mailgun's API v3: `POST /v3/{domain}/messages` with a form; the response is 200 with the
//! message's id.

use gateway_runtime::{
    prelude::*,
    provider::{AttemptClass, HttpResponse},
};

use super::{EmailSender, accepted, at, joined};
use crate::message::{Accepted, Message, SendRequest};

/// The section `[providers.mailgun]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MailgunConfig {
    /// The base URL of the API; `https://api.eu.mailgun.net` for accounts in the EU.
    #[serde(default = "base_url")]
    base_url: String,
    /// The domain that mail is sent from.
    #[serde(default)]
    domain: String,
    /// A sending key.
    #[serde(default = "no_key")]
    api_key: Secret,
}

fn base_url() -> String {
    "https://api.mailgun.net".to_owned()
}

fn no_key() -> Secret {
    Secret::new("")
}

/// The provider Mailgun.
#[provider(name = "mailgun", title = "Mailgun")]
pub struct Mailgun {
    http: HttpClient,
    config: Config<MailgunConfig>,
}

#[provider]
impl EmailSender for Mailgun {
    #[provide_method(cost = "0.002 USD")]
    async fn send(&self, message: &Message) -> Result<Accepted, ProviderError> {
        let MailgunConfig { base_url, domain, api_key } = &*self.config;
        let url = at(base_url, &format!("/v3/{domain}/messages"));
        let response =
            self.http.post(url).basic("api", api_key).form(&form(message)).send_any().await?;
        if response.status() != 200 {
            return Err(refusal(response).await);
        }
        let Queued { id } = response.json().await?;
        Ok(accepted("mailgun", id.trim_matches(['<', '>'])))
    }
}

fn form(Message { from, content }: &Message) -> Vec<(&'static str, String)> {
    let SendRequest { to, cc, subject, text, html } = content;
    let mut form = vec![
        ("from", from.0.clone()),
        ("to", joined(to)),
        ("subject", subject.clone()),
        ("text", text.clone()),
    ];
    form.extend((!cc.is_empty()).then(|| ("cc", joined(cc))));
    form.extend(html.clone().map(|html| ("html", html)));
    form
}

#[derive(Deserialize)]
struct Queued {
    id: String,
}

/// Maps the statuses. 400 concerns the message; 401, 402 and 429 concern the account, as their
/// default mapping says. The others need a rule of their own.
async fn refusal(response: HttpResponse) -> ProviderError {
    match response.status() {
        404 => response
            .into_error()
            .await
            .with_class(AttemptClass::Rejected)
            .log("the domain is not known here"),
        413 => ProviderError::unsupported("413: the message is too large"),
        _ => response.into_error().await,
    }
}
