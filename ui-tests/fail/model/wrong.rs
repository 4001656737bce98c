//! Not on a type, and with arguments.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[model]
fn rates() {}

#[model(deny_unknown_fields)]
struct Query {
    base: String,
}

fn main() {}
