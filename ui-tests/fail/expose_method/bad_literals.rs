//! Prices, durations, quotas and names that are none.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET, price = "0.001USD", cache = "60 seconds", quota = "100/minute")]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET, price = 0.001 USD, cache = 60, timeout = 5s)]
    async fn unquoted(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET, name = "latest rates", price = "-1 EUR", timeout = "0s", quota = "0/s")]
    async fn latest(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn Uppercase(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
