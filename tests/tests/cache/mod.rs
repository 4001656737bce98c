//! The cache, over HTTP: scopes, single flight, stale replies, and memory limits.

mod giving;
mod newsstand;
mod shared;
mod stale;
