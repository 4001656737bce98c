//! The names that the macros' expansions use. Not public: they change without notice.

pub(crate) mod support;

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
    base::{
        call::CallRequest,
        cost::{Argument, Cost, argument},
        error::Error,
        money::Money,
        spec::{
            AuthMode, CacheScope, CacheSpec, CapabilityMethodSpec, CapabilitySpec, Effect,
            IdempotencyMode, MethodSpec, ProviderSpec, QuotaSpec, ServiceSpec, SourceLocation,
            Verb, WebhookSpec,
        },
        start_error::StartError,
    },
    edge::client::{
        PendingCall, Remote, Transport,
        input::{ArgumentList, DeclaredService, InputProbe, NoInput, NoService, Select},
    },
    private::support::{
        CapabilityResult, CloneForRetry, clone_for_retry, default_strategy, downcast,
        provider_instance, service_instance,
    },
    provider::{
        Capability, CompletionOf, DefaultCompletion, ProviderError, Providers, strategy::Strategy,
    },
    service::{
        app::{BuildContext, FromApp},
        argument::FromCall,
        arguments::Arguments,
        composed::{
            Composed, ComposedState, compose, composed_input, one_input_composed, prepare_composed,
        },
        entry::{
            Build, ErasedInstance, MakeStrategy, ProviderEntry, ProviderIdentity, ProvisionEntry,
            ServiceEntry, ServiceIdentity,
        },
        registry::{
            Binder,
            entries::Entries,
            method_entry::{ExposedMethod, MethodEntry, one_input},
        },
    },
    store::{Migration, Migrations, Sql},
};

pub use futures_util::future::BoxFuture;
