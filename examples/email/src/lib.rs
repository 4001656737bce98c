//! Mail through four providers of one capability. The effect is `once`: a message that may have
//! been sent is not sent again.
//!
//! The program is in `main.rs`; this library is for other programs, which link [`EmailClient`] and
//! its types.

pub mod message;
pub mod outbox;
pub mod providers;
pub mod stand_ins;

use gateway_runtime::prelude::*;

use crate::{
    message::{
        Accepted, Address, Bounced, Delivered, Message, SendRequest, State, Status, StatusQuery,
    },
    outbox::Outbox,
    providers::EmailSender,
};

/// The section `[services.email]`.
#[model]
pub struct EmailConfig {
    /// The sender of all messages.
    #[serde(default = "default_sender")]
    pub from: Address,
}

fn default_sender() -> Address {
    Address("noreply@example.com".to_owned())
}

/// Mail and its delivery status.
#[service(name = "email", version = 1, title = "Email", strategy = Ordered)]
pub struct Email {
    config: Config<EmailConfig>,
    outbox: Outbox,
}

#[service]
impl Email {
    /// Sends a message. Success means that a provider has accepted it and will try to deliver it.
    ///
    /// The error `outcome-unknown` means that a provider may have accepted it: another call may
    /// send it twice.
    #[expose_method(POST, price = "0.002 USD", quota = "100/min")]
    async fn send(
        &self,
        content: SendRequest,
        senders: Providers<dyn EmailSender>,
    ) -> Result<Accepted> {
        let message = Message { from: self.config.from.clone(), content };
        let accepted = senders.send(&message).await?;
        self.outbox.add(accepted.clone());
        Ok(accepted)
    }

    /// Returns the status of a message that was sent since the service started.
    #[expose_method(GET)]
    async fn status(&self, query: StatusQuery) -> Result<Status> {
        self.outbox
            .status(&query.message_id)
            .ok_or_else(|| Error::not_found("no message of this id is remembered"))
    }

    /// Records that a message was delivered; called by a provider.
    #[expose_method(POST, webhook = HmacSha256("EMAIL_WEBHOOK_SECRET"))]
    async fn delivered(&self, event: Delivered) -> Result<()> {
        self.outbox.note(&event.message_id, State::Delivered, None);
        Ok(())
    }

    /// Records that a message bounced; called by a provider.
    #[expose_method(POST, webhook = HmacSha256("EMAIL_WEBHOOK_SECRET"))]
    async fn bounced(&self, event: Bounced) -> Result<()> {
        self.outbox.note(&event.message_id, State::Bounced, Some(event.reason));
        Ok(())
    }
}
