//! An argument that is spelt wrong.

#![allow(unused_variables)]

use gateway_runtime::*;

#[service(nmae = "currency", color = "red", description = "Rates")]
struct Currency;

fn main() {}
