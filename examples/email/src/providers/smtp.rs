//! SMTP (RFC 5321), one connection a message. Up to the end of the data nothing is sent: whatever fails before is safe
//! to give to another provider. Only the answer to the end of the data can be lost.

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

/// `[providers.smtp]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SmtpConfig {
    /// The mail server.
    #[serde(default = "host")]
    host: String,
    /// Its port: usually 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[serde(default = "port")]
    port: u16,
    /// How the connection is protected.
    #[serde(default)]
    security: Security,
    /// Who signs in; nobody when left out.
    username: Option<String>,
    /// With this password.
    password: Option<Secret>,
    /// How long it may take until the server is ready for the message; less than `failover.attempt_timeout`, so that
    /// what was never sent is not taken for lost.
    #[serde(default = "open_timeout", with = "duration")]
    #[schemars(with = "DurationText")]
    open_timeout: Duration,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Encrypted after `STARTTLS` (RFC 3207), or not used.
    #[default]
    StartTls,
    /// Encrypted from the first byte (RFC 8314).
    Tls,
    /// Not at all: for a server on this machine.
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
        // What is decided is not held up by good manners.
        tokio::spawn(async move {
            tokio::time::timeout(Duration::from_secs(1), connection.quit()).await.is_ok()
        });
        Ok(accepted("smtp", id))
    }
}

impl Smtp {
    /// A connection that is ready for the message: all of RFC 5321 up to the answer to `DATA`.
    /// `AsyncSmtpConnection::send` goes further, and does not say how far it got.
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

    /// Connected, protected and signed in.
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

/// What went wrong before the server took the message, or why it would not.
fn nothing_sent(error: lettre::transport::smtp::Error) -> ProviderError {
    let why = error.to_string();
    match (error.status().map(u16::from), enhanced(&why)) {
        (None, _) => ProviderError::not_sent(why),
        (Some(552), _) | (Some(_), Some("5.3.4")) => ProviderError::unsupported(why),
        // Busy, no relay for us, or its own judgement of the sender or the content.
        (Some(_), _) => ProviderError::rejected(why),
    }
}

/// Some receivers are wrong, and are so for every server.
fn receiver_refused(error: lettre::transport::smtp::Error) -> ProviderError {
    let why = error.to_string();
    let wrong = match (error.status().map(u16::from), enhanced(&why)) {
        (Some(550 | 551 | 553), None) => true,
        // But 5.1.7 and 5.1.8 are the sender's, whom many servers judge only now.
        (Some(_), Some(code)) => code.starts_with("5.1.") && !matches!(code, "5.1.7" | "5.1.8"),
        _ => false,
    };
    if wrong {
        ProviderError::invalid(why).with_public_detail("a receiver has no such mailbox")
    } else {
        nothing_sent(error)
    }
}

/// A password that is refused needs somebody's care, as a 401 does.
fn not_let_in(error: lettre::transport::smtp::Error) -> ProviderError {
    if error.is_permanent() {
        ProviderError::from_status(401).log(error)
    } else {
        nothing_sent(error)
    }
}

/// The enhanced status code in an answer (RFC 3463): `5.1.1`.
fn enhanced(answer: &str) -> Option<&str> {
    let is_number = |text: &str| text.parse::<u16>().is_ok();
    answer
        .split_whitespace()
        .find(|word| word.split('.').count() == 3 && word.split('.').all(is_number))
}

/// Of RFC 5322 §3.6.4: what is drawn at random before the `@` is never drawn again.
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
        /// What the schema lets in, this provider can write down: nothing that it allows is refused later.
        #[test]
        fn what_the_schema_allows_can_be_composed(
            to in proptest::collection::vec("[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,70}@[A-Za-z0-9.-]{1,70}", 1..4),
            subject in texts(),
            text in texts(),
            html in proptest::option::of(texts()),
        ) {
            let request = serde_json::json!({ "to": to, "subject": subject, "text": text, "html": html }).to_string();
            let schema = InputSchema::of::<SendRequest>().unwrap();
            let Ok(request) = schema.parse_json(request.into()) else { return Ok(()) };
            let message = Message { from: Address("noreply@example.com".to_owned()), content: decode(&request).unwrap() };
            let mail = compose(&message, &new_id(&message.from)).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
            let mail = String::from_utf8(mail.formatted()).unwrap();
            let (head, _) = mail.split_once("\r\n\r\n").unwrap();
            // One field a line, and only those that were meant.
            let fields = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
            let mut names: Vec<_> = fields.map(|line| line.split(':').next().unwrap()).collect();
            names.retain(|name| *name != "Content-Transfer-Encoding");
            prop_assert_eq!(names, ["From", "Subject", "Message-ID", "Date", "To", "MIME-Version", "Content-Type"], "{}", head);
        }
    }
}
