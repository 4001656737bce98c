//! The typed client: against a real gateway, over HTTP and over the bus, and against servers that
//! break the protocol.

mod bus;
mod calls;
mod failures;
mod lab;
mod scripted;
mod streams;
