//! A service with a type parameter.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency<T> {
    source: T,
}

fn main() {}
