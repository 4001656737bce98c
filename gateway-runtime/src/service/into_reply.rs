//! Replies of exposed methods: what a method may return, and the shape that `/meta` publishes.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    base::{
        error::Error,
        reply::{MediaType, Raw, Reply, Streaming},
    },
    json::schema::output_schema,
};

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
///
/// The type decides the form of the reply:
///
/// ```
/// use gateway_runtime::{IntoReply, Raw, media::Csv, model, pipeline::Reply};
///
/// #[model]
/// struct Rate {
///     currency: String,
/// }
///
/// let rate = Rate { currency: "USD".to_owned() };
/// assert!(matches!(rate.into_reply()?, Reply::Json(json) if json == r#"{"currency":"USD"}"#));
/// assert!(matches!(().into_reply()?, Reply::Empty));
/// assert!(matches!(Raw::<Csv>::new("USD,1.1\r\n").into_reply()?, Reply::Raw(..)));
/// # Ok::<(), gateway_runtime::Error>(())
/// ```
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
///
/// A conversion chooses the code. The type must not implement `std::error::Error` then: such an
/// error converts into `internal` already.
///
/// ```
/// use gateway_runtime::{MethodResult, prelude::*};
///
/// const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");
///
/// enum BuyError {
///     NoConcert,
///     SoldOut,
/// }
///
/// impl From<BuyError> for Error {
///     fn from(error: BuyError) -> Self {
///         match error {
///             BuyError::NoConcert => Self::not_found("no concert has this name"),
///             BuyError::SoldOut => Self::new(SOLD_OUT, "all seats are taken"),
///         }
///     }
/// }
///
/// #[service]
/// struct Concerts;
///
/// #[service]
/// impl Concerts {
///     /// Buys a seat.
///     #[expose_method(POST, errors(SOLD_OUT))]
///     async fn buy(&self) -> Result<(), BuyError> {
///         Err(BuyError::SoldOut)
///     }
/// }
///
/// # fn main() {
/// // The gateway converts the result of the method:
/// let result: Result<(), BuyError> = Err(BuyError::SoldOut);
/// assert_eq!(result.into_result().unwrap_err().code(), SOLD_OUT);
/// # }
/// ```
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
