//! Not on a struct.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
async fn rates() {}

fn main() {}
