//! Functions that generated code calls. Each has the one bound that its types must satisfy.

use std::{future::Future, pin::Pin, sync::Arc};

use crate::{
    base::start_error::StartError,
    provider::{
        Argument, Capability, Completion, ProviderError, Providers, call_method, strategy::Strategy,
    },
    service::entry::{ErasedInstance, ProviderIdentity, ServiceIdentity},
};

/// Creates an instance of a service.
///
/// # Errors
///
/// Never returns an error; the type is that of build functions.
pub fn service_instance<S: ServiceIdentity>(service: S) -> Result<ErasedInstance, StartError> {
    Ok(Arc::new(service))
}

/// Creates an instance of a provider.
///
/// # Errors
///
/// Never returns an error; the type is that of build functions.
pub fn provider_instance<P: ProviderIdentity>(provider: P) -> Result<ErasedInstance, StartError> {
    Ok(Arc::new(provider))
}

/// Returns the provider behind an instance, if it is a `P`.
#[must_use]
pub fn downcast<P: ProviderIdentity>(instance: ErasedInstance) -> Option<Arc<P>> {
    instance.downcast().ok()
}

/// Creates the strategy that an attribute names by its type alone.
#[must_use]
pub fn default_strategy<S: Strategy + Default>() -> Arc<dyn Strategy> {
    Arc::new(S::default())
}

/// An argument that can be cloned for each attempt at a provider.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed to a second provider when the first has failed",
    label = "taken by value, and not `Clone`",
    note = "take it by reference, or derive `Clone`: an argument by value is cloned for each \
            attempt"
)]
pub trait CloneForRetry: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> CloneForRetry for T {}

/// Clones the argument for the next attempt.
#[must_use]
pub fn clone_for_retry<T: CloneForRetry>(argument: &T) -> T {
    argument.clone()
}

/// The return type of a capability's method, and how a pool obtains it.
#[diagnostic::on_unimplemented(
    message = "a capability's method returns `Result<…, ProviderError>`, not `{Self}`",
    label = "failover cannot judge this",
    note = "`ProviderError` says what may follow a failure: nothing was sent, it was rejected, \
            nobody knows …"
)]
pub trait CapabilityResult: Sized {
    /// The reply of a successful attempt.
    type Answer: Send + 'static;

    /// Calls method number `method` of the capability; see `call_method`.
    fn run<'a, C, S, F, const N: usize>(
        providers: &'a Providers<C>,
        method: usize,
        arguments: [&'a Argument; N],
        attempt: F,
        settle: S,
    ) -> Pin<Box<dyn Future<Output = Self> + Send + 'a>>
    where
        C: ?Sized + Capability,
        S: Completion<Self::Answer> + 'a,
        F: Fn(&'a C) -> Pin<Box<dyn Future<Output = Self> + Send + 'a>> + Send + 'a;
}

impl<T: Send + 'static> CapabilityResult for Result<T, ProviderError> {
    type Answer = T;

    fn run<'a, C, S, F, const N: usize>(
        providers: &'a Providers<C>,
        method: usize,
        arguments: [&'a Argument; N],
        attempt: F,
        settle: S,
    ) -> Pin<Box<dyn Future<Output = Self> + Send + 'a>>
    where
        C: ?Sized + Capability,
        S: Completion<T> + 'a,
        F: Fn(&'a C) -> Pin<Box<dyn Future<Output = Self> + Send + 'a>> + Send + 'a,
    {
        call_method(providers, method, arguments, attempt, settle)
    }
}
