//! A field that the app cannot make.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency {
    precision: u32,
}

fn main() {}
