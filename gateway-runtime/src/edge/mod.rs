//! The ways in and out. `dispatch` is the contract of routes, and `request` is what all HTTP
//! listeners do to a request; the others import them and do not know each other.
//!
//! `http` serves methods, routes and documents; `bus_consumer` executes calls from the bus, and
//! `bus_dispatch` forwards routes to it; `proxy` forwards routes to HTTP
//! upstreams; `client` is the typed client; `admin` is the operator's
//! API.

pub mod admin;
pub mod bus_consumer;
pub mod bus_dispatch;
pub(crate) mod client;
pub mod dispatch;
pub(crate) mod http;
pub(crate) mod proxy;
mod request;
