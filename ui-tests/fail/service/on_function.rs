//! Not on a struct.

#![allow(unused_variables)]

use gateway_runtime::*;

#[service]
async fn rates() {}

fn main() {}
