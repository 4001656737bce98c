//! A field that cannot go over the wire.

#![allow(unused_variables)]

use gateway_runtime::*;

#[model]
struct Query {
    started: std::time::Instant,
}

fn main() {}
