//! A field that the app cannot make.

#![allow(unused_variables)]

use gateway_runtime::*;

#[derive(FromApp)]
struct Tools {
    precision: u32,
}

fn main() {}
