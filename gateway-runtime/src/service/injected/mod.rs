//! Injected values: implementations of [`FromApp`](super::app::FromApp) and
//! [`FromCall`](super::argument::FromCall) for the types of lower folders.

mod app_values;
#[cfg(feature = "http-client")]
mod http_client;
#[cfg(test)]
mod tests;
