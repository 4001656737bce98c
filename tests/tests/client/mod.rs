//! The typed client: against a real gateway, over HTTP and over the bus, and against servers that do what no gateway should.

mod bus;
mod calls;
mod failures;
mod lab;
mod scripted;
mod streams;
