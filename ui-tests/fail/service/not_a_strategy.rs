//! A strategy that is none.

#![allow(unused_variables)]

use gateway_runtime::*;

#[derive(Default)]
struct Random;

#[service(strategy = Random)]
struct Currency;

fn main() {}
