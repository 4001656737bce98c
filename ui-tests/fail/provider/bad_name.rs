//! A name that fits no address.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[provider(name = "fixer.io", title = "Fixer.io")]
struct Fixed;

fn main() {}
