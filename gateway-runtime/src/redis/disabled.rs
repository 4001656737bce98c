//! The stand-in for Redis in a program built without the feature `redis`: a type without values,
//! which cannot be connected.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;

use crate::{
    base::secret::Secret,
    redis::{RedisError, RedisSettings, Script, ScriptArg},
};

/// A connection to Redis; without the feature `redis` none can exist.
#[derive(Clone, Debug)]
pub struct DisabledRedis(Infallible);

#[expect(missing_docs, clippy::missing_errors_doc, reason = "as with the feature `redis`")]
#[expect(clippy::unused_async, reason = "as with the feature `redis`")]
impl DisabledRedis {
    pub async fn connect(_: &Secret, _: &RedisSettings) -> Result<Self, RedisError> {
        Err(RedisError::rejected(
            "this program was built without Redis\n\
             help: add the feature `redis` to gateway-runtime in Cargo.toml, or remove the \
             section (in the environment: `REDIS_HOST`)",
        ))
    }

    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn for_authors(&self) -> Self {
        match self.0 {}
    }

    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        match self.0 {}
    }

    pub async fn get(&self, _: &str) -> Result<Option<Bytes>, RedisError> {
        match self.0 {}
    }

    pub async fn set(&self, _: &str, _: &[u8], _: Duration) -> Result<(), RedisError> {
        match self.0 {}
    }

    pub async fn set_new(&self, _: &str, _: &[u8], _: Duration) -> Result<bool, RedisError> {
        match self.0 {}
    }

    pub async fn delete(&self, _: &str) -> Result<bool, RedisError> {
        match self.0 {}
    }

    pub async fn delete_if(&self, _: &str, _: &[u8]) -> Result<bool, RedisError> {
        match self.0 {}
    }

    pub async fn run(
        &self,
        _: &Script,
        _: &[&str],
        _: &[ScriptArg<'_>],
    ) -> Result<Vec<i64>, RedisError> {
        match self.0 {}
    }
}
