//! The prelude: the names that an author's program uses most. `use gateway_runtime::prelude::*;`

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

#[cfg(feature = "sqlite")]
pub use crate::Db;
#[cfg(feature = "http-client")]
pub use crate::provider::HttpClient;
pub use crate::{
    Call, Caller, Code, Config, Error, FromApp, FromCall, Gateway, Money, ProviderError, Providers,
    Publisher, Raw, Redis, Result, Secret, StartError, Streaming, capability, expose_method, media,
    model, provide_method, provider,
    provider::{
        IdempotencyKey,
        strategy::{Cheapest, Fastest, LeastBusy, Ordered, RoundRobin, Weighted},
    },
    service,
};
