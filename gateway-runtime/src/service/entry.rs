//! What the macros submit at link time. Each entry is a constant: names, function pointers, no allocation.

use std::{
    any::{Any, TypeId},
    future::Future,
    pin::Pin,
    sync::Arc,
};

use crate::{
    base::{
        call::CallRequest,
        error::Error,
        reply::Reply,
        spec::{CapabilitySpec, MethodSpec, ProviderSpec, ServiceSpec},
        start_error::StartError,
    },
    provider::{Capability, Cost, strategy::Strategy},
    service::{
        app::BuildContext,
        argument::{Arguments, IntoReply, MethodResult},
        registry::Binder,
    },
};

/// An instance of some service or provider.
pub type ErasedInstance = Arc<dyn Any + Send + Sync>;

/// Builds an instance from the app.
pub type Build = fn(&BuildContext<'_>) -> Result<ErasedInstance, StartError>;

/// Makes a strategy.
pub type MakeStrategy = fn() -> Arc<dyn Strategy>;

/// A struct with `#[service]`: the other half of the impl blocks that collect its methods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "this struct has no `#[service]`",
    note = "put `#[service(name = \"…\")]` on the struct; `#[service]` on the impl then collects its methods"
)]
pub trait ServiceIdentity: Send + Sync + 'static {
    /// What the attribute says.
    const SPEC: &'static ServiceSpec;
}

/// A struct with `#[provider(name = …)]`: the other half of the impls of capabilities.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a provider",
    label = "this struct has no `#[provider]`",
    note = "put `#[provider(name = \"…\")]` on the struct; `#[provider]` on the impl then says what it can do"
)]
pub trait ProviderIdentity: Send + Sync + 'static {
    /// What the attribute says.
    const SPEC: &'static ProviderSpec;
}

/// One exposed method, made by the macro: its types, and how it is called. All that the types must satisfy is asked for
/// here, at the types, and nowhere else, so that a mistake is reported once and where it was made.
pub trait ExposedMethod: 'static {
    /// The service.
    type Service: ServiceIdentity;
    /// Its arguments, as a tuple.
    type Arguments: Arguments;
    /// What it returns.
    type Output: MethodResult<Reply: IntoReply>;

    /// Calls it.
    fn call(
        service: Arc<Self::Service>,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Self::Output> + Send + 'static;
}

/// A service's struct.
#[derive(Debug)]
pub struct ServiceEntry {
    pub(crate) spec: &'static ServiceSpec,
    pub(crate) id: fn() -> TypeId,
    pub(crate) build: Build,
    pub(crate) strategy: Option<MakeStrategy>,
}

impl ServiceEntry {
    /// The entry of `S`, built by `build`; `strategy` is that of the pools its methods ask for.
    #[must_use]
    pub const fn new<S: ServiceIdentity>(build: Build, strategy: Option<MakeStrategy>) -> Self {
        Self { spec: S::SPEC, id: TypeId::of::<S>, build, strategy }
    }
}

inventory::collect!(ServiceEntry);

/// Carries out a call.
pub(crate) type BoxedMethod = Box<
    dyn Fn(CallRequest) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>> + Send + Sync,
>;

/// An exposed method.
#[derive(Debug)]
pub struct MethodEntry {
    pub(crate) service: &'static ServiceSpec,
    pub(crate) service_id: fn() -> TypeId,
    pub(crate) spec: MethodSpec,
    pub(crate) strategy: Option<MakeStrategy>,
    pub(crate) bind: fn(&mut Binder<'_>) -> Result<BoxedMethod, StartError>,
}

impl MethodEntry {
    /// The entry of `M`.
    #[must_use]
    pub const fn new<M: ExposedMethod>(spec: MethodSpec, strategy: Option<MakeStrategy>) -> Self {
        let service = <M::Service as ServiceIdentity>::SPEC;
        Self { service, service_id: TypeId::of::<M::Service>, spec, strategy, bind: bind::<M> }
    }
}

inventory::collect!(MethodEntry);

/// Refuses two inputs among the arguments of `M`.
///
/// # Panics
///
/// At compile time, where the arguments stand.
#[track_caller]
pub const fn one_input<M: ExposedMethod>() {
    assert!(
        <M::Arguments as Arguments>::INPUTS <= 1,
        "a method has at most one input; put the fields of both into one struct"
    );
}

/// Prepares the arguments of `M`, and gives what carries out its calls.
fn bind<M: ExposedMethod>(binder: &mut Binder<'_>) -> Result<BoxedMethod, StartError> {
    let service = binder.service::<M::Service>()?;
    let states = M::Arguments::prepare(binder)?;
    binder.answer::<<M::Output as MethodResult>::Reply>();
    let shared = Arc::new((service, states));
    Ok(Box::new(move |mut request| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (service, states) = &*shared;
            let arguments = M::Arguments::from_call(states, &mut request).await?;
            // The pipeline's own hold on the call ends here; a method that wants it has asked for it.
            drop(request);
            M::call(Arc::clone(service), arguments).await.into_result()?.into_reply()
        })
    }))
}

/// A provider's struct.
#[derive(Debug)]
pub struct ProviderEntry {
    pub(crate) spec: &'static ProviderSpec,
    pub(crate) id: fn() -> TypeId,
    pub(crate) build: Build,
}

impl ProviderEntry {
    /// The entry of `P`, built by `build`.
    #[must_use]
    pub const fn new<P: ProviderIdentity>(build: Build) -> Self {
        Self { spec: P::SPEC, id: TypeId::of::<P>, build }
    }
}

inventory::collect!(ProviderEntry);

/// An impl of a capability by a provider.
#[derive(Debug)]
pub struct ProvisionEntry {
    pub(crate) capability: &'static CapabilitySpec,
    pub(crate) capability_id: fn() -> TypeId,
    pub(crate) provider: &'static ProviderSpec,
    pub(crate) provider_id: fn() -> TypeId,
    /// What each method costs, in the order that the impl names them.
    pub(crate) costs: &'static [(&'static str, Cost)],
    /// From the provider's instance to a boxed `Arc<dyn Capability>`.
    pub(crate) cast: fn(ErasedInstance) -> Option<Box<dyn Any>>,
}

impl ProvisionEntry {
    /// The entry of `impl C for P`; `cast` downcasts an instance of `P` and boxes it as an `Arc<C>`.
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
