//! Not on a struct.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
enum Currency {
    Euro,
}

fn main() {}
