//! An answer that cannot be written.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

struct Rates;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<Rates> {
        Ok(Rates)
    }
}

fn main() {}
