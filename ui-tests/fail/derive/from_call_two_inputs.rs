//! Two inputs in one.

#![allow(unused_variables)]

use gateway_runtime::*;

#[derive(FromCall)]
struct Context {
    id: String,
    amount: u64,
}

fn main() {}
