//! A type whose making nobody could guess.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[derive(FromApp)]
enum Source {
    Fixed,
}

#[derive(FromCall)]
enum Who {
    Nobody,
}

#[derive(FromApp)]
struct Tools<T>(T);

fn main() {}
