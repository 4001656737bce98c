//! The small functions that generated code calls, each with the one bound that its types must satisfy.

use std::{future::Future, pin::Pin, sync::Arc};

use crate::{
    base::start_error::StartError,
    provider::{
        Argument, Capability, Completion, ProviderError, Providers, call_method, strategy::Strategy,
    },
    service::entry::{ErasedInstance, ProviderIdentity, ServiceIdentity},
};

/// An instance of a service.
///
/// # Errors
///
/// Never; it is what a build function returns.
pub fn service_instance<S: ServiceIdentity>(service: S) -> Result<ErasedInstance, StartError> {
    Ok(Arc::new(service))
}

/// An instance of a provider.
///
/// # Errors
///
/// Never; it is what a build function returns.
pub fn provider_instance<P: ProviderIdentity>(provider: P) -> Result<ErasedInstance, StartError> {
    Ok(Arc::new(provider))
}

/// The provider that an instance is of.
#[must_use]
pub fn downcast<P: ProviderIdentity>(instance: ErasedInstance) -> Option<Arc<P>> {
    instance.downcast().ok()
}

/// The strategy that an attribute names by its type alone.
#[must_use]
pub fn default_strategy<S: Strategy + Default>() -> Arc<dyn Strategy> {
    Arc::new(S::default())
}

/// An argument that every attempt at a provider gets for itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed to a second provider when the first has failed",
    label = "taken by value, and not `Clone`",
    note = "take it by reference, or derive `Clone`: an argument by value is cloned for each attempt"
)]
pub trait CloneForRetry: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> CloneForRetry for T {}

/// The argument for one more attempt.
#[must_use]
pub fn clone_for_retry<T: CloneForRetry>(argument: &T) -> T {
    argument.clone()
}

/// What a method of a capability returns, and how a pool comes by it.
#[diagnostic::on_unimplemented(
    message = "a capability's method returns `Result<…, ProviderError>`, not `{Self}`",
    label = "failover cannot judge this",
    note = "`ProviderError` says what may follow a failure: nothing was sent, it was rejected, nobody knows …"
)]
pub trait CapabilityResult: Sized {
    /// What it answers with when all is well.
    type Answer: Send + 'static;

    /// Carries out the method of number `method`; see [`run`].
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
