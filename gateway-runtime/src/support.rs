//! The small functions that generated code calls, each with the one bound that its types must satisfy.

use std::sync::Arc;

use crate::{
    app::StartError,
    registry::entries::{Instance, ProviderIdentity, Service},
    strategy::Strategy,
};

/// An instance of a service.
///
/// # Errors
///
/// Never; it is what a build function returns.
pub fn service_instance<S: Service>(service: S) -> Result<Instance, StartError> {
    Ok(Arc::new(service))
}

/// An instance of a provider.
///
/// # Errors
///
/// Never; it is what a build function returns.
pub fn provider_instance<P: ProviderIdentity>(provider: P) -> Result<Instance, StartError> {
    Ok(Arc::new(provider))
}

/// The provider that an instance is of.
#[must_use]
pub fn downcast<P: ProviderIdentity>(instance: Instance) -> Option<Arc<P>> {
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
pub trait Again: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {}

/// The argument for one more attempt.
#[must_use]
pub fn again<T: Again>(argument: &T) -> T {
    argument.clone()
}
