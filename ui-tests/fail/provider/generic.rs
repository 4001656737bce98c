//! A provider with a type parameter.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[provider]
struct Fixed<T>(T);

fn main() {}
