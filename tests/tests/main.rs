//! Black-box tests, one module a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests say on which servers they ran"
)]

mod admin;
mod auth;
mod books;
mod bus;
mod cache;
mod client;
mod control;
mod database;
mod email;
mod gate;
mod http_edge;
mod layering;
mod layers;
mod many_methods;
mod messages;
mod money;
mod program;
mod proxy;
mod quotas;
mod rabbitmq;
mod redis_server;
mod volume;
