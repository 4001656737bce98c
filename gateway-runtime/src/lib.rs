//! The runtime of the gateway SDK: everything an author's program links.

// So that the macros' `::gateway_runtime::…` paths resolve in this crate's own tests too.
#[cfg(test)]
extern crate self as gateway_runtime;

mod attempt;
mod call;
mod error;
mod money;
mod reply;
mod spec;

pub use attempt::{Attempt, Class};
pub use call::{Arrival, Call, CallRequest, Caller, Input, Origin, RequestId};
pub use error::{Code, Error, Result, Violation};
pub use money::{Currency, Money, ParseMoneyError};
pub use reply::{Chunks, MediaType, Raw, Reply, Streaming, media};
pub use spec::{
    Auth, Cache, CacheScope, CapabilityMethodSpec, CapabilitySpec, Effect, Idempotency, MethodSpec, ProviderSpec,
    Quota, ServiceSpec, Source, Verb, Webhook,
};
