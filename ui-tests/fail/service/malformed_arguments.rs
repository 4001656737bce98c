//! Arguments that are not written as they should be, all told at once.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service(name, version = "1", title("Currency"), strategy, auth = "required", scopes = "a", 7)]
struct Currency;

fn main() {}
