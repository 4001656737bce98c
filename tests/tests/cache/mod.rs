//! The cache, over HTTP: whose answers are given to whom, once for many, stale ones, and within how much memory.

mod giving;
mod newsstand;
mod shared;
mod stale;
