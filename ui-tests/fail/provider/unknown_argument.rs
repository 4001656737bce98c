//! Arguments that `#[provider]` does not know.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[provider(nam = "fixed", cost = "1 USD")]
struct Fixed;

fn main() {}
