//! A capability to do nothing.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {}

fn main() {}
