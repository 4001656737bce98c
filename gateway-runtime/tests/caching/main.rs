//! The cache of the pipeline, by a paused clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and says what it does not run"
)]

mod flights;
mod giving;
mod stale;
mod stock;
