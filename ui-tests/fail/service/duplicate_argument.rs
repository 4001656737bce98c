//! An argument given twice.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service(name = "currency", version = 1, name = "rates")]
struct Currency;

fn main() {}
