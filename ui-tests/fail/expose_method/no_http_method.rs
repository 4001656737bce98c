//! No HTTP method.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(price = "0.001 USD")]
    async fn convert(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
