//! Code that the benchmarks share: a message to decode and validate, gateways of any number of
//! methods, and processes to measure.

pub mod mail;
pub mod many;
pub mod process;
