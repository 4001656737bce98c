//! The `[redis]` section: the location of the server.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::{
        duration::{self, DurationText},
        secret::Secret,
        start_error::StartError,
    },
    redis::Redis,
};

/// `[redis]`: the server for quotas and cached replies that gateways share. Without `url` and
/// `host` each gateway has its own, in memory.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSettings {
    /// The URL, such as `redis://user:password@host:6379/0`, `rediss://…` over TLS,
    /// `redis+unix:///path?db=0`. Needs the feature `redis`.
    pub url: Option<Secret>,
    /// The host, if `url` is absent.
    pub host: Option<String>,
    /// The port at `host`; the default is 6379.
    pub port: Option<u16>,
    /// The number of the database at `host`; the default is 0.
    pub db: Option<u32>,
    /// The prefix of all keys; gateways that share state have the same prefix.
    pub prefix: String,
    /// The time limit of a command.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
    /// The time limit of a connection attempt.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub connect_timeout: Duration,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            url: None,
            host: None,
            port: None,
            db: None,
            prefix: "gateway".to_owned(),
            timeout: Duration::from_millis(500),
            connect_timeout: Duration::from_secs(2),
        }
    }
}

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

    /// Checks the settings without a connection.
    ///
    /// # Errors
    ///
    /// Fails if the settings contradict each other.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        self.address().map(drop)
    }

    fn address(&self) -> Result<Option<Secret>, StartError> {
        let parts = [self.host.is_some(), self.port.is_some(), self.db.is_some()];
        match (&self.url, &self.host) {
            (Some(_), _) if parts.contains(&true) => Err(StartError::new(
                "[redis] has `url` beside `host`, `port` or `db`: `url` says all of it, so drop \
                 the others (in the environment they are REDIS_HOST, REDIS_PORT and REDIS_DB)",
            )),
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(host)) => {
                let (port, db) = (self.port.unwrap_or(6379), self.db.unwrap_or(0));
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                Ok(Some(Secret::new(format!("redis://{host}:{port}/{db}"))))
            }
            (None, None) if parts.contains(&true) => Err(StartError::new(
                "[redis] has `port` or `db` (in the environment REDIS_PORT, REDIS_DB) and no \
                 `host`: add it, or drop them",
            )),
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(settings: RedisSettings) -> Result<Option<String>, StartError> {
        settings.address().map(|url| url.map(|url| url.expose().to_owned()))
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn address_is_of_one_place_or_none() {
        let none = RedisSettings::default();
        assert_eq!(address(none.clone()).unwrap(), None);
        let host = RedisSettings { host: text("cache"), ..none.clone() };
        assert_eq!(address(host.clone()).unwrap(), text("redis://cache:6379/0"));
        let all =
            RedisSettings { host: text("::1"), port: Some(7000), db: Some(2), ..none.clone() };
        assert_eq!(address(all).unwrap(), text("redis://[::1]:7000/2"));
        let url = Some(Secret::new("redis://:hunter2@cache"));
        assert_eq!(
            address(RedisSettings { url: url.clone(), ..none.clone() }).unwrap(),
            text("redis://:hunter2@cache")
        );
        let both = address(RedisSettings { url, ..host }).unwrap_err().to_string();
        assert!(both.contains("REDIS_HOST") && !both.contains("hunter2"), "{both}");
        assert!(
            address(RedisSettings { db: Some(1), ..none })
                .unwrap_err()
                .to_string()
                .contains("no `host`")
        );
    }

    #[cfg(not(feature = "redis"))]
    #[tokio::test]
    async fn error_names_the_feature_when_redis_is_not_built_in() {
        let settings = RedisSettings { host: text("cache"), ..RedisSettings::default() };
        let error = settings.open().await.unwrap_err().to_string();
        assert!(error.contains("features = [\"redis\"]"), "{error}");
    }
}
