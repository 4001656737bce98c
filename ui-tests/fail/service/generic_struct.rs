//! A service with a type parameter.

#![allow(unused_variables)]

use gateway_runtime::*;

#[service]
struct Currency<T> {
    source: T,
}

fn main() {}
