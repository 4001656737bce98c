//! The entry of an exposed method: its types, and how it is bound at start.

use std::{any::TypeId, future::Future, sync::Arc};

use crate::{
    base::{
        spec::{MethodSpec, ServiceSpec},
        start_error::StartError,
    },
    service::{
        arguments::Arguments,
        binder::Binder,
        entry::{MakeStrategy, ServiceIdentity},
        into_reply::{IntoReply, MethodResult},
        method::BoxedMethod,
    },
};

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
    binder.reply::<<M::Output as MethodResult>::Reply>();
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
