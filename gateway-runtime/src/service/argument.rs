//! Arguments of exposed methods: each is found by its type, prepared once at start, and created for
//! each call.

use std::{future::Future, sync::Arc};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{
    base::{
        call::{Call, CallRequest, Caller, Input},
        error::Error,
        start_error::StartError,
    },
    json::{document::Document, schema},
    provider::{Capability, IdempotencyKey, Pool, Providers, strategy::Strategy},
    service::binder::Binder,
};

/// An argument of an exposed method.
///
/// The input (at most one) is any `Deserialize + JsonSchema`. [`Call`], [`Caller`] and
/// [`Providers`] implement the trait. An author's own argument is a struct with
/// `#[derive(FromCall)]` whose fields are such types, or is written by hand:
///
/// ```
/// use gateway_runtime::{Binder, CallRequest, Error, FromCall, StartError};
///
/// /// The tenant, by the host name that was called.
/// struct Tenant(String);
///
/// impl FromCall for Tenant {
///     type State = ();
///
///     fn prepare(_: &mut Binder<'_>) -> Result<(), StartError> {
///         Ok(())
///     }
///
///     async fn from_call(_: &(), request: &mut CallRequest) -> Result<Self, Error> {
///         let host = request.call.headers().get("host").and_then(|host| host.to_str().ok());
///         host.map(|host| Self(host.to_owned()))
///             .ok_or_else(|| Error::not_found("no tenant has this host name"))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an exposed method",
    label = "neither an input nor something that a call brings",
    note = "an input derives `Deserialize` and `JsonSchema` (or has `#[model]`); besides it a \
            method may ask for `Call`, \
            `Caller`, `IdempotencyKey`, `Db`, `Redis`, `Publisher`, `Providers<dyn Trait>` of a \
            `#[capability] trait`, and types with \
            `#[derive(FromCall)]`"
)]
pub trait FromCall: Sized + Send {
    /// Whether the type is the input.
    const IS_INPUT: bool = false;

    /// The result of the lookups at start.
    type State: Send + Sync + 'static;

    /// Looks up what calls need, and declares the input and capabilities that `/meta` publishes.
    ///
    /// # Errors
    ///
    /// Returns an error if the app cannot supply the argument.
    fn prepare(binder: &mut Binder<'_>) -> Result<Self::State, StartError>;

    /// Creates the argument for one call.
    ///
    /// # Errors
    ///
    /// An error becomes the reply of the call; the method does not run.
    fn from_call(
        state: &Self::State,
        request: &mut CallRequest,
    ) -> impl Future<Output = Result<Self, Error>> + Send;
}

/// The input: the call's document, decoded.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> FromCall for T {
    const IS_INPUT: bool = true;

    type State = ();

    fn prepare(binder: &mut Binder<'_>) -> Result<(), StartError> {
        binder.input::<T>()
    }

    async fn from_call((): &(), request: &mut CallRequest) -> Result<Self, Error> {
        let input = match std::mem::take(&mut request.input) {
            Input::Valid(input) => input,
            Input::None => Document::default(),
            // Reached only in a pipeline without its validation layer.
            _ => {
                return Err(Error::internal(
                    "the input reached the method without having been judged",
                ));
            }
        };
        schema::decode(&input).map_err(Error::invalid)
    }
}

// The note on the trait lists these three.
#[diagnostic::do_not_recommend]
impl FromCall for Call {
    type State = ();

    fn prepare(_: &mut Binder<'_>) -> Result<(), StartError> {
        Ok(())
    }

    async fn from_call((): &(), request: &mut CallRequest) -> Result<Self, Error> {
        Ok(request.call.clone())
    }
}

#[diagnostic::do_not_recommend]
impl FromCall for Caller {
    type State = ();

    fn prepare(_: &mut Binder<'_>) -> Result<(), StartError> {
        Ok(())
    }

    async fn from_call((): &(), request: &mut CallRequest) -> Result<Self, Error> {
        Ok(request.call.caller().clone())
    }
}

/// The key under which a provider de-duplicates: the caller's, else one derived from the call.
#[diagnostic::do_not_recommend]
impl FromCall for IdempotencyKey {
    type State = ();

    fn prepare(_: &mut Binder<'_>) -> Result<(), StartError> {
        Ok(())
    }

    async fn from_call((): &(), request: &mut CallRequest) -> Result<Self, Error> {
        Ok(Self::of(&request.call))
    }
}

/// The providers of a capability, bound to the call.
impl<C: Capability + ?Sized> FromCall for Providers<C> {
    type State = (Arc<Pool<C>>, Arc<dyn Strategy>);

    fn prepare(binder: &mut Binder<'_>) -> Result<Self::State, StartError> {
        binder.pool::<C>()
    }

    async fn from_call(
        (pool, strategy): &Self::State,
        request: &mut CallRequest,
    ) -> Result<Self, Error> {
        Ok(Self::new(Arc::clone(pool), Arc::clone(strategy), request.call.clone()))
    }
}
