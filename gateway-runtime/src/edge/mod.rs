//! TODO

pub mod admin;
pub mod bus_consumer;
pub mod bus_dispatch;
pub mod client;
pub mod dispatch;
pub mod http;
