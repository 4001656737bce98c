//! The email example: the requests of its providers to stand-ins of real APIs; no message is ever
//! sent twice.

mod house;
mod once;
mod refusals;
mod requests;
mod start;
mod webhooks;
mod wire;
