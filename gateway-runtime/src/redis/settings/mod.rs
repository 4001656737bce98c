//! The `[redis]` section: the location of the server.

#[cfg(test)]
mod tests;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{
    duration::{self, DurationText},
    secret::Secret,
    start_error::StartError,
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
    /// Checks the settings without a connection.
    ///
    /// # Errors
    ///
    /// Fails if the settings contradict each other.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        self.address().map(drop)
    }

    pub(super) fn address(&self) -> Result<Option<Secret>, StartError> {
        let parts = [self.host.is_some(), self.port.is_some(), self.db.is_some()];
        match (&self.url, &self.host) {
            (Some(_), _) if parts.contains(&true) => Err(StartError::new(
                "[redis]: `url` is set beside `host`, `port` or `db`\n\
                 help: remove `url` or the others (in the environment: `REDIS_HOST`, `REDIS_PORT`, \
                 `REDIS_DB`)",
            )),
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(host)) => {
                let port = self.port.unwrap_or(6379);
                let db = self.db.unwrap_or(0);
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                Ok(Some(Secret::new(format!("redis://{host}:{port}/{db}"))))
            }
            (None, None) if parts.contains(&true) => Err(StartError::new(
                "[redis]: `port` or `db` is set without `host`\n\
                 help: add `host`, or remove them (in the environment: `REDIS_PORT`, `REDIS_DB`)",
            )),
            (None, None) => Ok(None),
        }
    }
}
