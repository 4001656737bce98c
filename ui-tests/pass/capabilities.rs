//! Every form of methods of capabilities and providers.

use gateway_runtime::{
    FromApp, Money, ProviderError, Result, Streaming, capability, model, provide_method, provider,
};

/// A message.
#[model]
#[derive(PartialEq)]
pub struct Message {
    /// The recipient.
    pub to: String,
}

/// A capability with every form of method.
#[capability]
pub trait Mailer: Send + Sync {
    /// Nothing in, nothing out.
    #[provide_method(effect = idempotent)]
    async fn ping(&self) -> Result<(), ProviderError>;

    /// Arguments by value, by reference, unsized, and named as the macro might name its own.
    #[provide_method(effect = once)]
    async fn send(
        &self,
        provider: Message,
        scope: &Message,
        call: &str,
        a0: &[u8],
    ) -> Result<u64, ProviderError>;

    /// A method with a default, which providers may leave out.
    #[provide_method(effect = read)]
    async fn r#type(
        &self,
        _: &'static str,
        _unused: Option<&Message>,
    ) -> Result<String, ProviderError> {
        self.ping().await?;
        if self.size() > 1 {
            return Err(ProviderError::unsupported("no type"));
        }
        Ok("mail".to_owned())
    }

    /// A deprecated method.
    #[deprecated]
    #[provide_method(effect = read)]
    async fn size_of(
        &self,
        message: &Message,
    ) -> Result<Box<dyn std::any::Any + Send>, ProviderError>;
}

trait Size {
    fn size(&self) -> usize;
}

impl<T: ?Sized> Size for T {
    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// A capability with streams.
#[capability]
pub trait Watch {
    /// Streams the incoming messages.
    #[provide_method(effect = read)]
    async fn watch(&self, of: &Message) -> Result<Streaming<Message>, ProviderError>;
}

#[provider]
impl Watch for Smtp {
    async fn watch(&self, of: &Message) -> Result<Streaming<Message>, ProviderError> {
        let _ = of;
        Err(ProviderError::unsupported("nothing comes in"))
    }
}

/// A second capability of the same provider.
#[capability]
pub trait Check {
    #[doc = "Whether it can be sent."]
    #[provide_method(effect = read)]
    async fn check(&self, message: &Message, times: &u64) -> Result<bool, ProviderError>;
}

/// A tuple.
#[provider(name = "smtp-1", title = "SMTP")]
pub struct Smtp(Nothing, #[allow(dead_code)] Nothing);

/// A value to build providers from.
#[derive(FromApp, Debug, Clone, Copy)]
pub struct Nothing;

#[allow(clippy::trivially_copy_pass_by_ref)]
fn by_message(message: &Message, times: &u64) -> Money {
    let nanos = i64::try_from(*times).unwrap_or(i64::MAX)
        * i64::try_from(message.to.len()).unwrap_or(i64::MAX);
    Money::literal(nanos, "USD")
}

impl Smtp {
    fn whatever(_: &Message) -> Money {
        Money::literal(7, "USD")
    }
}

#[provider]
impl Mailer for Smtp {
    async fn ping(&self) -> Result<(), ProviderError> {
        let Self(Nothing, _) = self;
        Ok(())
    }

    #[provide_method(cost = Self::whatever)]
    async fn send(
        &self,
        mut message: Message,
        from: &Message,
        _: &str,
        _bytes: &[u8],
    ) -> Result<u64, ProviderError> {
        message.to.push_str(&from.to);
        let length =
            message.to.len().try_into().map_err(|_| ProviderError::unsupported("too long"))?;
        if length == 0 {
            return Ok(0);
        }
        Ok(length)
    }

    async fn size_of(
        &self,
        Message { to }: &Message,
    ) -> Result<Box<dyn std::any::Any + Send>, ProviderError> {
        if to.is_empty() {
            return Ok(Box::new(()));
        }
        Ok(Box::new(to.len()))
    }
}

#[provider]
impl Check for Smtp {
    #[provide_method(cost = by_message)]
    async fn check(&self, message: &Message, _: &u64) -> Result<bool, ProviderError> {
        Ok(!message.to.is_empty())
    }
}

#[provider]
impl Check for super::arguments::Parrot {
    async fn check(&self, _: &Message, _: &u64) -> Result<bool, ProviderError> {
        unreachable!("a body that only diverges has no type of its own")
    }
}
