//! Scopes, and strangers let in.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service(auth = none, scopes("rates:read"))]
struct Currency;

fn main() {}
