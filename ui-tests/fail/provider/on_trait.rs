//! Not on a struct.

#![allow(unused_variables)]

use gateway_runtime::*;

#[provider]
trait RateSource {}

fn main() {}
