//! What the benchmarks share: a message to decode and judge, and gateways of any number of methods.

pub mod mail;
pub mod many;
