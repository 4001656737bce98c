//! What the macros' expansions name. Not for people: it changes without notice.

pub use std::{
    any::Any,
    boxed::Box,
    convert::{AsRef, From},
    future::Future,
    option::Option::{self, None, Some},
    pin::Pin,
    result::Result::{self, Err, Ok},
    string::String,
    sync::Arc,
    time::Duration,
    vec::Vec,
};

pub use gateway_macros::{capability, model, provider, service};
pub use inventory;
pub use schemars;
pub use serde;

pub use crate::{
    app::{FromApp, Scope, StartError},
    call::CallRequest,
    client::{
        PendingCall, Remote, Transport,
        select::{Declared, NoInput, NoService, Pick, Probe, Select},
    },
    compose::{Composed, ComposedState, compose, composed_input, one_input_composed, prepare_composed},
    error::Error,
    extract::{Arguments, FromCall},
    money::Money,
    provider::{Argument, Capability, Cost, ProviderError, Providers, SettleWhole, Settling, argument},
    registry::{
        Binder,
        collected::Entries,
        entries::{
            Build, Exposed, Instance, MakeStrategy, MethodEntry, ProviderEntry, ProviderIdentity, ProvisionEntry,
            Service, ServiceEntry, one_input,
        },
    },
    spec::{
        Auth, Cache, CacheScope, CapabilityMethodSpec, CapabilitySpec, Effect, Idempotency, MethodSpec, ProviderSpec,
        Quota, ServiceSpec, Source, Verb, Webhook,
    },
    store::{Migration, Migrations, Sql},
    strategy::Strategy,
    support::{Again, Provided, again, default_strategy, downcast, provider_instance, service_instance},
};

/// A boxed future, as methods of capabilities return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
