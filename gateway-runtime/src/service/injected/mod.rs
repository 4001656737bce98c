//! Injected values: implementations of [`FromApp`](super::app::FromApp) and
//! [`FromCall`](super::argument::FromCall) for the types of lower folders.

mod db;
mod http_client;
mod publisher;
mod redis;
