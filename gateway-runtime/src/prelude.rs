//! The prelude: the names that an author's program uses most. `use gateway_runtime::prelude::*;`

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

pub use crate::{
    Call, Caller, Code, Config, Db, Error, FromApp, FromCall, Gateway, Money, ProviderError,
    Providers, Publisher, Raw, Redis, Result, Secret, StartError, Streaming, capability,
    expose_method, media, model, provide_method, provider,
    provider::{
        HttpClient, IdempotencyKey,
        strategy::{Cheapest, Fastest, LeastBusy, Ordered, RoundRobin, Weighted},
    },
    service,
};
