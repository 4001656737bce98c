//! A field that the app cannot make.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[derive(FromApp)]
struct Tools {
    precision: u32,
}

fn main() {}
