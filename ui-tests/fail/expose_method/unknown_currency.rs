//! A currency that ISO 4217 does not know.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET, price = "0.001 XYZ")]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
