//! The same thing twice.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET, price = "0.001 USD", price = "0.002 USD")]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    #[expose_method(POST)]
    async fn convert(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
