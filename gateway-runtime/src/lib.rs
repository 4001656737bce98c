//! The runtime of the gateway SDK: the crate that an author's program links.
//!
//! The public API is what an author or an operator's program names: the root, and the modules
//! [`mod@provider`], [`strategy`], [`client`], [`http`], [`pipeline`], [`db`], [`redis`],
//! [`resolver`] and [`duration`]. The feature `internals` exports more for the tests and benches of
//! this project; it is not documented, and changes without notice.
#![cfg_attr(
    not(feature = "internals"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "what only the feature `internals` exports"
    )
)]

#[cfg(not(feature = "internals"))]
mod auth;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod auth;
mod base;
#[cfg(not(feature = "internals"))]
mod bus;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod bus;
#[cfg(not(feature = "internals"))]
mod cache;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod cache;
#[cfg(not(feature = "internals"))]
mod control;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod control;
mod edge;
mod gateway;
mod json;
pub mod pipeline;
pub mod prelude;
#[doc(hidden)]
pub mod private;
pub mod provider;
#[cfg(not(feature = "internals"))]
mod quota;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod quota;
pub mod redis;
pub mod resolver;
mod service;
#[cfg(not(feature = "internals"))]
mod store;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod store;

pub mod client {
    //! The typed client: calls of a service in another process, over HTTP or the bus.

    #[cfg(feature = "http-client")]
    pub use crate::edge::client::Http;
    pub use crate::edge::client::{
        Bus, ByteStream, ClientError, ClientInput, Expected, FromReply, PendingCall, Problem,
        ReplyBody, ReplyStream, Transport, TransportRequest, TransportResponse,
    };
}

pub mod db {
    //! The database of authors: migrations of their own tables, and the outbox.

    #[cfg(feature = "sqlite")]
    pub use crate::store::OutboxConnection;
    pub use crate::store::{Migration, MigrationStatus, Migrations, Sql, StoreError};
}

pub mod http {
    //! HTTP for authors: mounted services, webhooks, and dispatchers of routes.

    #[cfg(all(feature = "internals", feature = "websocket"))]
    #[doc(hidden)]
    pub use crate::edge::http::Conversation;
    #[cfg(feature = "internals")]
    #[doc(hidden)]
    pub use crate::edge::http::{
        BindError, BodyBudget, BodyError, Compressed, CompressionSettings, CorsSettings, Documents,
        DrainOutcome, FramingGuard, Handler, Http2Limits, HttpEdge, HttpLimits, HttpSettings, Info,
        Protection, RouteTable, Server, Standing, Violation, WebSocketSettings, read_body,
    };
    pub use crate::edge::{
        dispatch::{DispatchFuture, DispatchRequest, Dispatcher, RouteConfig},
        http::{Body, BoxError, Mount, Peer, WebhookKey},
    };
}

pub use self::base::duration;
#[doc(hidden)]
pub use self::private as __private;
pub use self::provider::strategy;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use self::{
    edge::{admin, bus_consumer, bus_dispatch, dispatch},
    gateway::telemetry,
    json::schema,
    service::registry,
};

pub use self::redis::Redis;
pub use auth::{ApiKey, ApiKeys, NewApiKey};
pub use base::call::{Call, CallRequest, Caller, Input, Origin, RequestId};
pub use base::country::Country;
pub use base::error::{Code, Error, Result};
pub use base::money::{Currency, Money, ParseMoneyError};
pub use base::reply::{MediaType, Raw, Streaming, media};
pub use base::secret::Secret;
pub use base::start_error::StartError;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use base::{
    attempt::Attempt,
    call::CallContext,
    reply::{Chunks, Reply},
    spec::{
        AuthMode, CacheScope, CacheSpec, Effect, IdempotencyMode, MethodSpec, ProviderSpec,
        QuotaSpec, ServiceSpec, SourceLocation, Verb, WebhookSpec,
    },
};
pub use bus::publisher::{Event, Publisher};
pub use gateway::config::Credentials;
pub use gateway::{Gateway, RunningGateway};
pub use gateway_macros::{
    FromApp, FromCall, capability, expose_method, migrations, model, provide_method, provider,
    service,
};
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use json::document::Document;
pub use json::violation::Violation;
pub use provider::{IdempotencyKey, ProviderError, Providers};
pub use service::app::{App, BuildContext, Config, FromApp};
pub use service::argument::FromCall;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use service::arguments::Arguments;
pub use service::into_reply::{IntoReply, MethodError, MethodResult};
pub use service::registry::Binder;

#[cfg(feature = "sqlite")]
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
