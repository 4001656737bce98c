//! The runtime of the gateway SDK: everything an author's program links.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod admin;
mod app;
mod attempt;
pub mod auth;
mod authority;
mod body;
pub mod bus;
pub mod cache;
mod call;
pub mod client;
mod compose;
mod config;
pub mod consume;
pub mod control;
mod cost;
mod country;
mod digest;
pub mod dispatch;
mod document;
pub mod duration;
mod error;
mod extract;
mod gateway;
mod home;
pub mod http;
mod metrics;
mod money;
pub mod pipeline;
pub mod prelude;
mod problem;
pub mod provider;
mod publisher;
pub mod quota;
pub mod redis;
pub mod registry;
pub mod relay;
mod reply;
pub mod schema;
mod secret;
mod section;
mod spec;
pub mod store;
pub mod strategy;
mod support;
pub mod telemetry;

pub use self::redis::Redis;
pub use app::{App, Config, FromApp, Scope, StartError};
pub use attempt::{Attempt, Class};
pub use call::{Arrival, Call, CallRequest, Caller, Input, Origin, RequestId};
pub use config::{Credentials, CredentialsSettings, OwnSection, Settings};
pub use country::Country;
pub use document::Document;
pub use error::{Code, Error, Result, Violation};
pub use extract::{Answer, AnswerShape, Arguments, Failure, FromCall, Outcome};
pub use gateway::{Gateway, Running};
pub use gateway_macros::{
    FromApp, FromCall, capability, expose_method, migrations, model, provide_method, provider, service,
};
pub use money::{Currency, Money, ParseMoneyError};
pub use provider::{HttpClient, IdempotencyKey, ProviderError, Providers};
pub use publisher::{Event, Publisher};
pub use registry::Binder;
pub use reply::{Chunks, MediaType, Raw, Reply, Streaming, media};
pub use secret::Secret;
pub use spec::{
    Auth, Cache, CacheScope, CapabilityMethodSpec, CapabilitySpec, Effect, Idempotency, MethodSpec, ProviderSpec,
    Quota, ServiceSpec, Source, Verb, Webhook,
};

pub use store::{Db, sqlx};

/// Links crates for what they register: services, providers. A crate that is only named in `Cargo.toml` is not part of
/// the program, and registers nothing.
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
