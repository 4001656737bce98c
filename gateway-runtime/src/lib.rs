//! The runtime of the gateway SDK: the crate that an author's program links.

pub mod auth;
mod base;
pub mod bus;
pub mod cache;
pub mod control;
mod edge;
mod gateway;
mod json;
pub mod pipeline;
pub mod prelude;
#[doc(hidden)]
pub mod private;
pub mod provider;
pub mod quota;
pub mod redis;
mod service;
pub mod store;

pub use self::base::duration;
pub use self::edge::{admin, bus_consumer, bus_dispatch, client, dispatch, http};
pub use self::gateway::telemetry;
pub use self::json::schema;
#[doc(hidden)]
pub use self::private as __private;
pub use self::provider::strategy;
pub use self::service::registry;

pub use self::redis::Redis;
pub use base::attempt::{Attempt, AttemptClass};
pub use base::call::{Call, CallContext, CallRequest, Caller, Input, Origin, RequestId};
pub use base::country::Country;
pub use base::error::{Code, Error, Result};
pub use base::money::{Currency, Money, ParseMoneyError};
pub use base::reply::{Chunks, MediaType, Raw, Reply, Streaming, media};
pub use base::secret::Secret;
pub use base::spec::{
    AuthMode, CacheScope, CacheSpec, CapabilityMethodSpec, CapabilitySpec, Effect, IdempotencyMode,
    MethodSpec, ProviderSpec, QuotaSpec, ServiceSpec, SourceLocation, Verb, WebhookSpec,
};
pub use base::start_error::StartError;
pub use bus::publisher::{Event, Publisher};
pub use gateway::config::{Credentials, CredentialsSettings, RawSection, Settings};
pub use gateway::{Gateway, RunningGateway};
pub use gateway_macros::{
    FromApp, FromCall, capability, expose_method, migrations, model, provide_method, provider,
    service,
};
pub use json::document::Document;
pub use json::violation::Violation;
pub use provider::{HttpClient, IdempotencyKey, ProviderError, Providers};
pub use registry::Binder;
pub use service::app::{App, BuildContext, Config, FromApp};
pub use service::argument::FromCall;
pub use service::arguments::Arguments;
pub use service::into_reply::{IntoReply, MethodError, MethodResult, ReplyShape};

pub use store::{Db, sqlx};

/// Links crates for the services and providers that they register. A crate that is only named in
/// `Cargo.toml` is not part of the program, and registers nothing.
///
/// ```
/// # mod mail_providers {}
/// gateway_runtime::link!(mail_providers);
/// ```
#[macro_export]
macro_rules! link {
    ($($krate:ident),+ $(,)?) => {
        $(use $krate as _;)+
    };
}
