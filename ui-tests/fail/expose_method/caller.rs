//! What needs a caller, and strangers let in.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET, auth = none, scopes("rates:read"))]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET, auth = optional, price = "0.001 USD")]
    async fn latest(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
