//! A strategy that is none.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[derive(Default)]
struct Random;

#[service(strategy = Random)]
struct Currency;

fn main() {}
