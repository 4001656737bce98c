//! The gateway under measurement: mail through one provider, each message charged.

use std::{
    error::Error,
    io::{self, Read},
};

use gateway_benches::mail::{Accepted, Message};
use gateway_runtime::{RunningGateway, prelude::*};

/// A carrier of mail.
#[capability]
trait Carrier {
    /// Accepts a message for delivery.
    #[provide_method(effect = once)]
    async fn deliver(&self, message: &Message) -> Result<Accepted, ProviderError>;
}

/// The section `[providers.carrier]`.
#[derive(Debug, Deserialize, JsonSchema)]
struct CarrierConfig {
    base_url: String,
}

/// The only carrier.
#[provider(name = "carrier", title = "Carrier")]
struct OnlyCarrier {
    http: HttpClient,
    config: Config<CarrierConfig>,
}

#[provider]
impl Carrier for OnlyCarrier {
    #[provide_method(cost = "0.0000009 USD")]
    async fn deliver(&self, message: &Message) -> Result<Accepted, ProviderError> {
        self.http.post(&self.config.base_url).json(message).send().await?.json().await
    }
}

/// A mail service.
#[service(name = "mail")]
struct Mail;

#[service]
impl Mail {
    /// Sends a message.
    #[expose_method(POST, price = "0.000001 USD", quota = "1000000000/s")]
    async fn send(&self, message: Message, carriers: Providers<dyn Carrier>) -> Result<Accepted> {
        Ok(carriers.deliver(&message).await?)
    }
}

/// Serves until standard input is closed.
#[expect(clippy::print_stdout, reason = "the parent reads the addresses there")]
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let settings = super::peers::settings()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let gateway: RunningGateway = Gateway::from_toml(&settings)?.start().await?;
        let admin = gateway.admin_address().ok_or("no address for operators")?;
        println!("{} {admin}", gateway.address());
        tokio::task::spawn_blocking(|| io::stdin().read(&mut [0])).await??;
        gateway.stop().await?;
        Ok(())
    })
}
