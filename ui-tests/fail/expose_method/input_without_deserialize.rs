//! An input that cannot be read.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

struct RatesQuery {
    base: String,
}

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self, query: RatesQuery, call: Call) -> Result<()> {
        Ok(())
    }
}

fn main() {}
