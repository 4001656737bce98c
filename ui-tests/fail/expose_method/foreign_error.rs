//! An error that is not the gateway's and does not turn into it.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

struct NoRates;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<(), NoRates> {
        Err(NoRates)
    }
}

fn main() {}
