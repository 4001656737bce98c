//! Black-box tests, one module a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod admin;
mod auth;
mod books;
mod cache;
mod client;
mod database;
mod email;
mod http_edge;
mod layering;
mod many_methods;
mod money;
mod quotas;
