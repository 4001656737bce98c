//! The typed client: against a real gateway, and against servers that do what no gateway should.

mod calls;
mod failures;
mod lab;
mod scripted;
mod streams;
