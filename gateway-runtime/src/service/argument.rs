//! Arguments and replies of exposed methods: traits that tie a Rust type to a call.
//!
//! An argument is found by its type, prepared once at start and created for each call. A reply
//! knows its shape, which `/meta` publishes.

use std::{future::Future, sync::Arc};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    base::{
        call::{Call, CallRequest, Caller, Input},
        error::Error,
        reply::{MediaType, Raw, Reply, Streaming},
        start_error::StartError,
    },
    json::{
        document::Document,
        schema::{self, output_schema},
    },
    provider::{Capability, IdempotencyKey, Pool, Providers, strategy::Strategy},
    service::registry::Binder,
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

/// The arguments of a method, as a tuple.
pub trait Arguments: Sized + Send {
    /// The number of inputs among the arguments.
    const INPUTS: usize;

    /// The states of the arguments, as a tuple.
    type States: Send + Sync + 'static;

    /// Prepares the arguments in order.
    ///
    /// # Errors
    ///
    /// Returns the error of the first argument that cannot be prepared.
    fn prepare(binder: &mut Binder<'_>) -> Result<Self::States, StartError>;

    /// Creates the arguments in order.
    ///
    /// # Errors
    ///
    /// Returns the error of the first argument that cannot be created.
    fn from_call(
        states: &Self::States,
        request: &mut CallRequest,
    ) -> impl Future<Output = Result<Self, Error>> + Send;
}

macro_rules! arguments {
    ($($argument:ident $state:ident),*) => {
        impl<$($argument: FromCall),*> Arguments for ($($argument,)*) {
            const INPUTS: usize = 0 $(+ $argument::IS_INPUT as usize)*;

            type States = ($($argument::State,)*);

            #[allow(unused_variables, reason = "a method may have no arguments")]
            fn prepare(binder: &mut Binder<'_>) -> Result<Self::States, StartError> {
                Ok(($($argument::prepare(binder)?,)*))
            }

            #[allow(unused_variables, reason = "a method may have no arguments")]
            async fn from_call(
                states: &Self::States,
                request: &mut CallRequest,
            ) -> Result<Self, Error> {
                let ($($state,)*) = states;
                Ok(($($argument::from_call($state, request).await?,)*))
            }
        }
    };
}

arguments!();
arguments!(A a);
arguments!(A a, B b);
arguments!(A a, B b, C c);
arguments!(A a, B b, C c, D d);
arguments!(A a, B b, C c, D d, E e);
arguments!(A a, B b, C c, D d, E e, F f);
arguments!(A a, B b, C c, D d, E e, F f, G g);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h, I i);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l);

/// The shape of a method's replies, as `/meta` publishes it.
#[derive(Clone, Debug)]
pub enum ReplyShape {
    /// An empty reply: no content.
    Empty,
    /// A JSON value of this schema.
    Json(Value),
    /// A stream of JSON values, each of this schema.
    Items(Value),
    /// Bytes of this media type.
    Raw(&'static str),
}

/// A value that an exposed method can reply with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of an exposed method",
    label = "not an answer",
    note = "an answer derives `Serialize` and `JsonSchema` (or has `#[model]`), or is `()`, \
            `Streaming<T>` or `Raw<Media>`"
)]
pub trait IntoReply: Send + 'static {
    /// Returns the shape of the replies.
    fn shape() -> ReplyShape;

    /// Converts the value into a reply.
    ///
    /// # Errors
    ///
    /// Returns an error if the value cannot be serialised as JSON.
    fn into_reply(self) -> Result<Reply, Error>;
}

/// A JSON reply; `()` is an empty one.
#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + Send + 'static> IntoReply for T {
    fn shape() -> ReplyShape {
        if is_unit::<T>() { ReplyShape::Empty } else { ReplyShape::Json(output_schema::<T>()) }
    }

    fn into_reply(self) -> Result<Reply, Error> {
        if is_unit::<T>() {
            return Ok(Reply::Empty);
        }
        Ok(Reply::Json(serde_json::to_vec(&self)?.into()))
    }
}

fn is_unit<T: 'static>() -> bool {
    std::any::TypeId::of::<T>() == std::any::TypeId::of::<()>()
}

impl<T: Serialize + JsonSchema + Send + 'static> IntoReply for Streaming<T> {
    fn shape() -> ReplyShape {
        ReplyShape::Items(output_schema::<T>())
    }

    fn into_reply(self) -> Result<Reply, Error> {
        Ok(Reply::Items(self.into_json()))
    }
}

impl<M: MediaType> IntoReply for Raw<M> {
    fn shape() -> ReplyShape {
        ReplyShape::Raw(M::NAME)
    }

    fn into_reply(self) -> Result<Reply, Error> {
        Ok(Raw::into_reply(self))
    }
}

/// The return type of an exposed method: a `Result` of a reply.
#[diagnostic::on_unimplemented(
    message = "an exposed method returns a `Result`, not `{Self}`",
    label = "not a `Result` of an answer",
    note = "write `-> Result<{Self}>`; its error is `gateway_runtime::Error`, or anything that \
            turns into it"
)]
pub trait MethodResult: Send {
    /// The reply of a successful call.
    type Reply;

    /// Converts the error into the gateway's own.
    ///
    /// # Errors
    ///
    /// Returns the error of the method.
    fn into_result(self) -> Result<Self::Reply, Error>;
}

/// An error that an exposed method can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an exposed method",
    label = "does not turn into `gateway_runtime::Error`",
    note = "implement `std::error::Error` for it, to answer it as an internal error, or \
            `From<{Self}>` for \
            `gateway_runtime::Error`, to choose the code"
)]
pub trait MethodError: Into<Error> + Send {}

#[diagnostic::do_not_recommend]
impl<E: Into<Error> + Send> MethodError for E {}

impl<T: Send, E: MethodError> MethodResult for Result<T, E> {
    type Reply = T;

    fn into_result(self) -> Result<T, Error> {
        self.map_err(Into::into)
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
