//! A key for what needs none.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET, idempotency = required)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
