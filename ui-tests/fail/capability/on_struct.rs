//! Not on a trait.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
struct RateSource;

fn main() {}
