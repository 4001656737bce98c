//! Entries of services and providers: the constants that the macros submit at link time. An entry
//! holds names and function pointers, and needs no allocation.

use std::{
    any::{Any, TypeId},
    sync::Arc,
};

use crate::{
    base::{
        spec::{CapabilitySpec, ProviderSpec, ServiceSpec},
        start_error::StartError,
    },
    provider::{Capability, Cost, strategy::Strategy},
    service::app::BuildContext,
};

/// An instance of a service or a provider, without its type.
pub type ErasedInstance = Arc<dyn Any + Send + Sync>;

/// A function that builds an instance from the app.
pub type Build = fn(&BuildContext<'_>) -> Result<ErasedInstance, StartError>;

/// A function that creates a strategy.
pub type MakeStrategy = fn() -> Arc<dyn Strategy>;

/// A struct with `#[service]`. The impl blocks that collect its methods refer to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "this struct has no `#[service]`",
    note = "put `#[service(name = \"…\")]` on the struct; `#[service]` on the impl then collects \
            its methods"
)]
pub trait ServiceIdentity: Send + Sync + 'static {
    /// The declaration of the attribute.
    const SPEC: &'static ServiceSpec;
}

/// A struct with `#[provider(name = …)]`. The impls of capabilities refer to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a provider",
    label = "this struct has no `#[provider]`",
    note = "put `#[provider(name = \"…\")]` on the struct; `#[provider]` on the impl then says \
            what it can do"
)]
pub trait ProviderIdentity: Send + Sync + 'static {
    /// The declaration of the attribute.
    const SPEC: &'static ProviderSpec;
}

/// The entry of a service.
#[derive(Debug)]
pub struct ServiceEntry {
    pub(crate) spec: &'static ServiceSpec,
    pub(crate) id: fn() -> TypeId,
    pub(crate) build: Build,
    pub(crate) strategy: Option<MakeStrategy>,
}

impl ServiceEntry {
    /// Creates the entry of `S`, built by `build`. `strategy` is the default of the pools that its
    /// methods use.
    #[must_use]
    pub const fn new<S: ServiceIdentity>(build: Build, strategy: Option<MakeStrategy>) -> Self {
        Self { spec: S::SPEC, id: TypeId::of::<S>, build, strategy }
    }
}

inventory::collect!(ServiceEntry);

/// The entry of a provider.
#[derive(Debug)]
pub struct ProviderEntry {
    pub(crate) spec: &'static ProviderSpec,
    pub(crate) id: fn() -> TypeId,
    pub(crate) build: Build,
}

impl ProviderEntry {
    /// Creates the entry of `P`, built by `build`.
    #[must_use]
    pub const fn new<P: ProviderIdentity>(build: Build) -> Self {
        Self { spec: P::SPEC, id: TypeId::of::<P>, build }
    }
}

inventory::collect!(ProviderEntry);

/// The entry of an impl of a capability by a provider.
#[derive(Debug)]
pub struct ProvisionEntry {
    pub(crate) capability: &'static CapabilitySpec,
    pub(crate) capability_id: fn() -> TypeId,
    pub(crate) provider: &'static ProviderSpec,
    pub(crate) provider_id: fn() -> TypeId,
    /// The costs of methods by their names, in the order of the impl.
    pub(crate) costs: &'static [(&'static str, Cost)],
    /// The function that turns the provider's instance into a boxed `Arc<dyn Capability>`.
    pub(crate) cast: fn(ErasedInstance) -> Option<Box<dyn Any>>,
}

impl ProvisionEntry {
    /// Creates the entry of `impl C for P`. `cast` downcasts an instance of `P` and boxes it as an
    /// `Arc<C>`.
    #[must_use]
    pub const fn new<C: Capability + ?Sized, P: ProviderIdentity>(
        costs: &'static [(&'static str, Cost)],
        cast: fn(ErasedInstance) -> Option<Box<dyn Any>>,
    ) -> Self {
        Self {
            capability: C::SPEC,
            capability_id: TypeId::of::<C>,
            provider: P::SPEC,
            provider_id: TypeId::of::<P>,
            costs,
            cast,
        }
    }
}

inventory::collect!(ProvisionEntry);
