//! Redis, for state that several gateways share and may lose: quotas, cached replies.
//!
//! Only this module uses the client library. One connection carries the commands of all calls,
//! pipelined. Each command has a time limit, and while the server does not answer, commands fail at
//! once instead of waiting one after another. Without the feature `redis` no connection can be
//! made, and [`Redis`] has no values.

#[cfg(feature = "redis")]
mod client;
#[cfg(feature = "redis")]
mod connection;
#[cfg(not(feature = "redis"))]
mod disabled;
mod error;
mod open;
#[cfg(feature = "redis")]
mod reachability;
mod script;
mod settings;
#[cfg(test)]
#[cfg(feature = "redis")]
pub(crate) mod tests;

#[cfg(feature = "redis")]
pub use crate::redis::client::Redis;
#[cfg(not(feature = "redis"))]
pub use crate::redis::disabled::DisabledRedis as Redis;
pub use crate::redis::{
    error::RedisError,
    script::{Script, ScriptArg},
    settings::RedisSettings,
};
