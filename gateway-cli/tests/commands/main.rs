//! Tests of the commands, run in the program itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and says what it does not run"
)]

mod credentials;
mod db;
mod program;
