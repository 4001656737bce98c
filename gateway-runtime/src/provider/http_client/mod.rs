//! The HTTP client of providers: pooled connections, limits, and errors classified for failover.
//!
//! - `client`, `request`, `response`: one exchange
//! - `connector`: the connections
//! - `classify`: the attempt classes of failed exchanges
//! - `absent`: a client without values, for programs without the feature `http-client`

#[cfg(not(feature = "http-client"))]
mod absent;
#[cfg(feature = "http-client")]
mod classify;
#[cfg(feature = "http-client")]
mod client;
#[cfg(feature = "http-client")]
mod connector;
#[cfg(feature = "http-client")]
mod request;
#[cfg(feature = "http-client")]
mod response;
mod settings;
#[cfg(test)]
#[cfg(feature = "http-client")]
mod tests;

#[cfg(not(feature = "http-client"))]
pub(crate) use crate::provider::http_client::absent::HttpClient;
pub use crate::provider::http_client::settings::HttpClientSettings;
#[cfg(feature = "http-client")]
pub(crate) use crate::provider::http_client::{
    classify::{error_chain, is_not_sent},
    connector::connector,
};
#[cfg(feature = "http-client")]
pub use crate::provider::http_client::{
    client::HttpClient, request::HttpRequest, response::HttpResponse,
};
