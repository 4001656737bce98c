//! An argument that is spelt wrong.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service(nmae = "currency", color = "red", description = "Rates")]
struct Currency;

fn main() {}
