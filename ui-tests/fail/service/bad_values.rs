//! Values that are refused, each with its reason.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service(name = "Currency", version = 0, title = " ", auth = nobody, scopes("a", "b c"))]
struct Currency;

#[service(name = "fx/rates", scopes("a", "a"))]
struct Rates;

fn main() {}
