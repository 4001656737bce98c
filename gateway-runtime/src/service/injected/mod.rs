//! TODO

pub(crate) mod publisher;
pub(crate) mod redis;
