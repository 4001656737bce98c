//! Not on a trait.

#![allow(unused_variables)]

use gateway_runtime::*;

#[capability]
struct RateSource;

fn main() {}
