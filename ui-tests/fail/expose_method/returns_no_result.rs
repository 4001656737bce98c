//! Something else than a `Result`.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> String {
        String::new()
    }
}

fn main() {}
