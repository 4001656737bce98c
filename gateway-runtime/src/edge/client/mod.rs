//! The typed client of a service: the same methods, called remotely.
//!
//! `#[service] impl Currency` generates a `CurrencyClient` beside the service, with a method for
//! each exposed one:
//!
//! ```text
//! let currency = Currency::client(Http::to("http://rates.internal:8080"));
//! let rates = currency.rates(&query).timeout(Duration::from_secs(2)).await?;
//! ```
//!
//! Over a message bus the calls go to the queue that the gateway consumes: [`Bus::to`] in place of
//! [`Http::to`].
//!
//! ```standalone_crate
//! use gateway_runtime::prelude::*;
//!
//! #[model]
//! struct Sum {
//!     a: i64,
//!     b: i64,
//! }
//!
//! #[service(name = "sums")]
//! struct Sums;
//!
//! #[service]
//! impl Sums {
//!     #[expose_method(GET)]
//!     async fn add(&self, sum: Sum) -> Result<i64> {
//!         Ok(sum.a + sum.b)
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//!     let gateway = Gateway::from_toml("http.listen = '127.0.0.1:0'")?.start().await?;
//!     // Another program uses `Bus::to("amqp://rabbit.internal:5672")`.
//!     let sums = Sums::client(gateway.bus());
//!     assert_eq!(sums.add(&Sum { a: 2, b: 3 }).await?, 5);
//! #   gateway.stop().await?;
//!     Ok(())
//! }
//! ```
//!
//! - `call`: a call before it is awaited
//! - `transport`: the interface of [`Http`], [`Bus`] and other transports
//! - `decode`, `reply`, `stream`: replies
//! - `input`: selects the input among a method's arguments, for the macro

mod bus;
mod call;
mod decode;
mod error;
mod headers;
#[cfg(feature = "http-client")]
mod http;
pub(crate) mod input;
mod json;
mod ndjson;
mod query;
mod reply;
mod stream;
mod transport;

#[cfg(feature = "http-client")]
pub use crate::edge::client::http::Http;
pub use crate::edge::client::{
    bus::Bus,
    call::{ClientInput, PendingCall, Remote},
    error::{ClientError, Problem},
    reply::FromReply,
    stream::{ReplyBody, ReplyStream},
    transport::{ByteStream, Expected, Transport, TransportRequest, TransportResponse},
};
