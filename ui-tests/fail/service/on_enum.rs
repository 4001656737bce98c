//! Not on a struct.

#![allow(unused_variables)]

use gateway_runtime::*;

#[service]
enum Currency {
    Euro,
}

fn main() {}
