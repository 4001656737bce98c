//! The configured broker.

use std::sync::Arc;

use crate::{
    base::{secret::Secret, start_error::StartError},
    bus::{Broker, BusSettings, MemoryBroker},
};

impl BusSettings {
    /// Opens the configured broker.
    ///
    /// # Errors
    ///
    /// Fails if the broker cannot be reached, or the program was built without support for it.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Broker>, StartError> {
        self.check()?;
        match &self.amqp {
            None => Ok(Arc::new(MemoryBroker::default())),
            Some(url) => self.connect(url).await,
        }
    }

    #[cfg(feature = "amqp")]
    async fn connect(&self, url: &Secret) -> Result<Arc<dyn Broker>, StartError> {
        Ok(Arc::new(crate::bus::AmqpBroker::open(url, self).await?))
    }

    #[cfg(not(feature = "amqp"))]
    #[expect(clippy::unused_async, reason = "as with the feature `amqp`")]
    async fn connect(&self, _: &Secret) -> Result<Arc<dyn Broker>, StartError> {
        Err(StartError::new(
            "[bus]: this program was built without RabbitMQ\n\
             help: add the feature `amqp` to gateway-runtime in Cargo.toml, or remove `amqp` \
             (in the environment: `MESSAGE_BUS_AMQP_URL`)",
        ))
    }
}
