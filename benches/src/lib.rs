//! What the benchmarks share: a message to decode and judge, gateways of any number of methods, and processes to measure.

pub mod mail;
pub mod many;
pub mod process;
