//! Arguments that `#[expose_method]` does not know.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET, cahce = "60s", cost = "0.001 USD", version = 2, retries = 3)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
