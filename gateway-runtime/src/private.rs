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
    error::Error,
    extract::{Arguments, FromCall},
    money::Money,
    provider::{Capability, Cost, ProviderError, Providers, run},
    registry::{
        Binder,
        entries::{
            Build, Exposed, Instance, MakeStrategy, MethodEntry, MethodsEntry, ProviderEntry, ProviderIdentity,
            ProvisionEntry, Service, ServiceEntry,
        },
    },
    spec::{
        Auth, Cache, CacheScope, CapabilityMethodSpec, CapabilitySpec, Effect, Idempotency, MethodSpec, ProviderSpec,
        Quota, ServiceSpec, Source, Verb, Webhook,
    },
    strategy::Strategy,
};

/// A boxed future, as methods of capabilities return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A reference argument of a capability's method, as strategies and costs see it.
pub type Argument = dyn Any + Sync;

/// The strategy that an attribute names by its type alone.
#[must_use]
pub fn default_strategy<S: Strategy + Default>() -> Arc<dyn Strategy> {
    Arc::new(S::default())
}

/// Whether one of the arguments is an input.
///
/// # Panics
///
/// At compile time, when there are two.
#[must_use]
#[track_caller]
pub const fn has_input<A: Arguments>() -> bool {
    assert!(A::INPUTS <= 1, "a call has at most one input; put the fields of both into one struct");
    A::INPUTS == 1
}

/// An argument that every attempt at a provider gets for itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed to a second provider when the first has failed",
    label = "taken by value, and not `Clone`",
    note = "take it by reference, or derive `Clone`: an argument by value is cloned for each attempt"
)]
pub trait Again: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {}

/// The argument for one more attempt.
#[must_use]
pub fn again<T: Again>(argument: &T) -> T {
    argument.clone()
}
