//! The configured connection.

use crate::{
    base::start_error::StartError,
    redis::{Redis, RedisSettings},
};

impl RedisSettings {
    /// Connects to the server; `None` if none is configured.
    ///
    /// # Errors
    ///
    /// Fails if the server cannot be reached, the program was built without the feature `redis`, or
    /// the settings contradict each other.
    pub(crate) async fn open(&self) -> Result<Option<Redis>, StartError> {
        let Some(url) = self.address()? else { return Ok(None) };
        let connected = Redis::connect(&url, self).await;
        connected.map(Some).map_err(|error| StartError::new(format!("[redis]: {error}")))
    }
}
