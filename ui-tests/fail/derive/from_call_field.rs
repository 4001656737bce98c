//! A field that no call brings.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[derive(FromCall)]
struct Context {
    call: Call,
    started: std::time::Instant,
}

fn main() {}
