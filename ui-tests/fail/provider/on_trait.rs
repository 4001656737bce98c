//! Not on a struct.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[provider]
trait RateSource {}

fn main() {}
