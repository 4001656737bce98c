//! SMTP (RFC 5321), one connection for each message. Nothing is sent before the end of the data, so
//! another provider can safely take over after any earlier failure. Only the reply to the end of
//! the data can be lost.

use std::time::Duration;

use gateway_runtime::{
    duration::{self, DurationText},
    prelude::*,
};
use lettre::{
    Message as Mail,
    address::Envelope,
    message::{Mailbox, MultiPart, SinglePart},
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail as MailFrom, Rcpt},
        extension::ClientId,
    },
};

use super::{EmailSender, accepted};
use crate::message::{Accepted, Address, Message, SendRequest};

/// The section `[providers.smtp]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SmtpConfig {
    /// The host name of the mail server.
    #[serde(default = "host")]
    host: String,
    /// The port of the mail server: usually 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[serde(default = "port")]
    port: u16,
    /// The protection of the connection.
    #[serde(default)]
    security: Security,
    /// The user name; without it the connection is not authenticated.
    username: Option<String>,
    /// The password of the user.
    password: Option<Secret>,
    /// The maximum time until the server is ready for the message. It is less than
    /// `failover.attempt_timeout`, so that a message that was never sent does not count as
    /// ambiguous.
    #[serde(default = "open_timeout", with = "duration")]
    #[schemars(with = "DurationText")]
    open_timeout: Duration,
}

/// The protection of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Encryption after `STARTTLS` (RFC 3207); the connection is not used without it.
    #[default]
    StartTls,
    /// Encryption from the first byte (RFC 8314).
    Tls,
    /// No encryption: for a server on the same machine.
    None,
}

fn host() -> String {
    "localhost".to_owned()
}

fn port() -> u16 {
    587
}

fn open_timeout() -> Duration {
    Duration::from_secs(5)
}

/// A mail server.
#[provider(name = "smtp", title = "SMTP")]
pub struct Smtp {
    config: Config<SmtpConfig>,
}

#[provider]
impl EmailSender for Smtp {
    #[provide_method(cost = "0.0001 USD")]
    async fn send(&self, message: &Message) -> Result<Accepted, ProviderError> {
        let id = new_id(&message.from);
        let mail = compose(message, &id)?;
        let opening = tokio::time::timeout(self.config.open_timeout, self.open(mail.envelope()));
        let mut connection = opening
            .await
            .unwrap_or_else(|_| Err(ProviderError::not_sent("the server is not ready in time")))?;
        match connection.message(&mail.formatted()).await {
            Ok(_) => {}
            Err(error) if error.status().is_some() => return Err(nothing_sent(error)),
            Err(error) => {
                return Err(ProviderError::ambiguous(format!(
                    "the answer to the data is lost: {error}"
                )));
            }
        }
        // The outcome is known already; `QUIT` must not delay it.
        tokio::spawn(async move {
            tokio::time::timeout(Duration::from_secs(1), connection.quit()).await.is_ok()
        });
        Ok(accepted("smtp", id))
    }
}

impl Smtp {
    /// Opens a connection that is ready for the message: all of RFC 5321 up to the reply to `DATA`.
    /// `AsyncSmtpConnection::send` goes further, and does not report at which step it failed.
    async fn open(&self, envelope: &Envelope) -> Result<AsyncSmtpConnection, ProviderError> {
        let mut connection = self.connect().await?;
        connection
            .command(MailFrom::new(envelope.from().cloned(), Vec::new()))
            .await
            .map_err(nothing_sent)?;
        for receiver in envelope.to() {
            connection
                .command(Rcpt::new(receiver.clone(), Vec::new()))
                .await
                .map_err(receiver_refused)?;
        }
        connection.command(Data).await.map_err(nothing_sent)?;
        Ok(connection)
    }

    /// Connects, starts encryption and authenticates.
    async fn connect(&self) -> Result<AsyncSmtpConnection, ProviderError> {
        let SmtpConfig { host, port, security, username, password, .. } = &*self.config;
        let tls = || TlsParameters::new(host.clone()).map_err(nothing_sent);
        let (server, name) = ((host.as_str(), *port), ClientId::default());
        let from_the_start = if *security == Security::Tls { Some(tls()?) } else { None };
        let connecting =
            AsyncSmtpConnection::connect_tokio1(server, None, &name, from_the_start, None);
        let mut connection = connecting.await.map_err(nothing_sent)?;
        if *security == Security::StartTls {
            connection.starttls(tls()?, &name).await.map_err(nothing_sent)?;
        }
        if let (Some(username), Some(password)) = (username, password) {
            let credentials = Credentials::new(username.clone(), password.expose().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(not_let_in)?;
        }
        Ok(connection)
    }
}

/// Maps a failure before the server has accepted the message, or its refusal.
fn nothing_sent(error: lettre::transport::smtp::Error) -> ProviderError {
    let why = error.to_string();
    match (error.status().map(u16::from), enhanced(&why)) {
        (None, _) => ProviderError::not_sent(why),
        (Some(552), _) | (Some(_), Some("5.3.4")) => ProviderError::unsupported(why),
        // The server is busy, does not relay for us, or rejects the sender or the content by its
        // own rules.
        (Some(_), _) => ProviderError::rejected(why),
    }
}

/// Maps the refusal of a receiver. Some receivers are invalid for every server.
fn receiver_refused(error: lettre::transport::smtp::Error) -> ProviderError {
    let why = error.to_string();
    let wrong = match (error.status().map(u16::from), enhanced(&why)) {
        (Some(550 | 551 | 553), None) => true,
        // 5.1.7 and 5.1.8 concern the sender, whom many servers check only at this step.
        (Some(_), Some(code)) => code.starts_with("5.1.") && !matches!(code, "5.1.7" | "5.1.8"),
        _ => false,
    };
    if wrong {
        ProviderError::invalid(why).with_public_detail("a receiver has no such mailbox")
    } else {
        nothing_sent(error)
    }
}

/// Maps a failed authentication. A refused password counts as a 401: the provider is set aside
/// (SEMANTICS §3).
fn not_let_in(error: lettre::transport::smtp::Error) -> ProviderError {
    if error.is_permanent() {
        ProviderError::from_status(401).log(error)
    } else {
        nothing_sent(error)
    }
}

/// Returns the enhanced status code in a reply (RFC 3463): `5.1.1`.
fn enhanced(answer: &str) -> Option<&str> {
    let is_number = |text: &str| text.parse::<u16>().is_ok();
    answer
        .split_whitespace()
        .find(|word| word.split('.').count() == 3 && word.split('.').all(is_number))
}

/// Creates a message id (RFC 5322 §3.6.4); the random part before the `@` makes it unique.
fn new_id(Address(from): &Address) -> String {
    let (_, domain) = from.rsplit_once('@').unwrap_or_default();
    format!("{:032x}@{domain}", fastrand::u128(..))
}

fn compose(Message { from, content }: &Message, id: &str) -> Result<Mail, ProviderError> {
    let SendRequest { to, cc, subject, text, html } = content;
    let mut mail = Mail::builder()
        .from(mailbox(from)?)
        .subject(subject)
        .message_id(Some(format!("<{id}>")))
        .date_now();
    for receiver in to {
        mail = mail.to(mailbox(receiver)?);
    }
    for receiver in cc {
        mail = mail.cc(mailbox(receiver)?);
    }
    let mail = match html {
        Some(html) => mail.multipart(MultiPart::alternative_plain_html(text.clone(), html.clone())),
        None => mail.singlepart(SinglePart::plain(text.clone())),
    };
    mail.map_err(|error| ProviderError::invalid(format!("not a message: {error}")))
}

fn mailbox(Address(address): &Address) -> Result<Mailbox, ProviderError> {
    let parsed =
        address.parse().map_err(|error| ProviderError::invalid(format!("not an address: {error}")));
    parsed.map(|address| Mailbox::new(None, address))
}

#[cfg(test)]
mod tests {
    use gateway_runtime::schema::{InputSchema, decode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn enhanced_codes_are_found_where_there_are_any() {
        assert_eq!(enhanced("permanent error (550): 5.1.1 user unknown"), Some("5.1.1"));
        assert_eq!(enhanced("permanent error (550): mail from 10.1.2.3 v2.0 refused"), None);
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![".{1,80}", "(\r\n|\n|\r|\\.|.){1,40}", "[^\\x00-\\x1f]{1,600}"]
    }

    proptest! {
        /// Everything that the schema admits can be composed: no valid input is refused later.
        #[test]
        fn valid_requests_can_be_composed(
            to in proptest::collection::vec(
                "[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,70}@[A-Za-z0-9.-]{1,70}",
                1..4,
            ),
            subject in texts(),
            text in texts(),
            html in proptest::option::of(texts()),
        ) {
            let request =
                serde_json::json!({ "to": to, "subject": subject, "text": text, "html": html });
            let schema = InputSchema::of::<SendRequest>().unwrap();
            let Ok(request) = schema.parse_json(request.to_string().into()) else { return Ok(()) };
            let from = Address("noreply@example.com".to_owned());
            let message = Message { from, content: decode(&request).unwrap() };
            let mail = compose(&message, &new_id(&message.from))
                .map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
            let mail = String::from_utf8(mail.formatted()).unwrap();
            let (head, _) = mail.split_once("\r\n\r\n").unwrap();
            // Each line is a field, and no other fields than the intended ones exist.
            let fields = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
            let mut names: Vec<_> = fields.map(|line| line.split(':').next().unwrap()).collect();
            names.retain(|name| *name != "Content-Transfer-Encoding");
            let expected =
                ["From", "Subject", "Message-ID", "Date", "To", "MIME-Version", "Content-Type"];
            prop_assert_eq!(names, expected, "{}", head);
        }
    }
}
