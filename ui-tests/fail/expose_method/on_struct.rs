//! The helper on the wrong item.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[expose_method(GET)]
struct Currency;

fn main() {}
