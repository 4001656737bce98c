//! Entries: the constants that the macros submit at link time. An entry holds names and function
//! pointers, and needs no allocation.

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

/// An exposed method: its types, and how it is called. The macro implements it.
///
/// All bounds on the types stand here and nowhere else, so that a mistake is reported once, at the
/// type that is wrong.
pub trait ExposedMethod: 'static {
    /// The service of the method.
    type Service: ServiceIdentity;
    /// The arguments of the method, as a tuple.
    type Arguments: Arguments;
    /// The return type of the method.
    type Output: MethodResult<Reply: IntoReply>;

    /// Calls the method.
    fn call(
        service: Arc<Self::Service>,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Self::Output> + Send + 'static;
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

/// The function that executes a call.
pub(crate) type BoxedMethod = Box<
    dyn Fn(CallRequest) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>> + Send + Sync,
>;

/// The entry of an exposed method.
#[derive(Debug)]
pub struct MethodEntry {
    pub(crate) service: &'static ServiceSpec,
    pub(crate) service_id: fn() -> TypeId,
    pub(crate) spec: MethodSpec,
    pub(crate) strategy: Option<MakeStrategy>,
    pub(crate) bind: fn(&mut Binder<'_>) -> Result<BoxedMethod, StartError>,
}

impl MethodEntry {
    /// Creates the entry of `M`.
    #[must_use]
    pub const fn new<M: ExposedMethod>(spec: MethodSpec, strategy: Option<MakeStrategy>) -> Self {
        let service = <M::Service as ServiceIdentity>::SPEC;
        Self { service, service_id: TypeId::of::<M::Service>, spec, strategy, bind: bind::<M> }
    }
}

inventory::collect!(MethodEntry);

/// Rejects two inputs among the arguments of `M`.
///
/// # Panics
///
/// Panics at compile time, at the arguments of the method.
#[track_caller]
pub const fn one_input<M: ExposedMethod>() {
    assert!(
        <M::Arguments as Arguments>::INPUTS <= 1,
        "a method has at most one input; put the fields of both into one struct"
    );
}

/// Prepares the arguments of `M`, and returns the function that executes its calls.
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
            // Releases the pipeline's handle on the call. A method that needs the call has it as an
            // argument.
            drop(request);
            M::call(Arc::clone(service), arguments).await.into_result()?.into_reply()
        })
    }))
}

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
