//! The cache of the pipeline, by a clock that stands still unless it is told to go on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod flights;
mod giving;
mod stale;
mod stock;
