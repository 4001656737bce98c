//! The typed client of a service: the same methods, called elsewhere.
//!
//! `#[service] impl Currency` makes a `CurrencyClient` beside the service, with a method for each one exposed:
//!
//! ```text
//! let currency = Currency::client(Http::to("http://rates.internal:8080"));
//! let rates = currency.rates(&query).timeout(Duration::from_secs(2)).await?;
//! ```
//!
//! `call` is one call before it is awaited, `transport` what carries it ([`Http`], or your own), `answer` and `stream`
//! what comes back, `select` finds the input among a method's arguments for the macro.

mod answer;
mod call;
mod error;
mod fields;
mod http;
mod lines;
mod query;
mod receive;
pub(crate) mod select;
mod stream;
mod transport;

pub use answer::FromAnswer;
pub use call::{ClientInput, PendingCall, Remote};
pub use error::{ClientError, Problem};
pub use http::Http;
pub use stream::{Body, Items};
pub use transport::{Expected, Pieces, Request, Response, Transport};
