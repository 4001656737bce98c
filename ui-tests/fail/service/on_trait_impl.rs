//! Not on the struct's own impl block.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

trait Rates {
    async fn rates(&self) -> Result<()>;
}

#[service]
impl Rates for Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
